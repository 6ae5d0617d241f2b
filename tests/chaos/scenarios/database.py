"""A database that goes away and comes back, and the small one that lives in a file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.chaos import tables
from tests.chaos.crew import DRAINS, Crew
from tests.chaos.people import OUTSIDE
from tests.chaos.publications import Publication
from tests.chaos.scenario import scenario
from tests.servers import FAST, IMMEDIATE

if TYPE_CHECKING:
    import signal

    from tests.chaos.run import Run


@scenario(short=90, full=400, database="own", patient=True)
def postgres_restarted(run: Run) -> None:
    """
    Restart PostgreSQL twice while events keep coming: in good order, then as if it had crashed.

    What was committed is delivered; what raised was not, and is published again. Texts are never doubled, e-mails at
    most those that were being sent when the database went away.
    """
    lease = run.pick(short=8, full=60)
    run.configure(LEASE=lease)
    workers = 2
    run.start_workers(workers)
    rate, seconds = run.pick(short=40, full=100), run.pick(short=10, full=60)
    numbers = range(1, rate * seconds + 1)
    publishing = run.publish([with_key(number) for number in numbers], rate=rate, patience=run.pick(short=30, full=60))
    recovered = []
    for how in (FAST, IMMEDIATE):
        run.wait_until(lambda: run.provider.accepted() > 0, "something is sent")
        run.wait(seconds / 4)
        recovered.append(restart(run, how))

    run.report.note(recovery_seconds=run.rest())
    verdict = run.judge(duplicate_emails=2 * workers * DRAINS)
    run.report.at_most("unknown", verdict.states["sms", "unknown"], 2 * workers * DRAINS)
    run.report.at_most("seconds_until_sending_again", max(recovered), 15)
    run.report.at_least("publications_refused", len(publishing.refused()), 1)
    run.report.equal("published", len({item.numbers for item in publishing.accepted()}), len(numbers))


@scenario(short=75, full=400, database="sqlite", redis=False, patient=True)
def sqlite_killed(run: Run) -> None:
    """
    Kill -9 the web process with the worker inside, over SQLite, while another process publishes.

    The file stays whole, no publisher hears of a lock, nothing is lost, and no text message is doubled.
    """
    run.environment["EMBEDDED_WORKER"] = "on"
    web = ["-m", "uvicorn", "config.asgi:application", "--lifespan", "off", "--uds", str(run.folder / "web.sock")]
    run.crew = Crew(run.household, run.environment, web, ready="Uvicorn running")
    run.start_workers(1)
    publishing = run.publish_to(range(1, run.pick(short=320, full=5000) + 1), rate=run.pick(short=40, full=60))
    run.wait_until(lambda: run.provider.accepted() > 0, "the first is sent")
    kills = 0
    while not publishing.over:
        run.wait(3)
        run.crew.kill_one(run.random)
        kills += 1

    run.report.note(recovery_seconds=run.rest())
    verdict = run.judge(duplicate_emails=kills * DRAINS)
    run.report.at_most("unknown", verdict.states["sms", "unknown"], kills * DRAINS)
    run.report.at_least("kills", kills, 2)
    run.report.equal("publishing_failed", len(publishing.refused()), 0)
    ((verdict,),) = tables.query(run.environment["DATABASE_URL"], "PRAGMA integrity_check")
    run.report.equal("integrity", verdict, "ok")


def with_key(number: int) -> Publication:
    """A commit whose answer was lost is published again under its key: it must not become a second event."""
    return Publication(numbers=(number,), channels=OUTSIDE, key=f"order-{number}")


def restart(run: Run, how: signal.Signals) -> float:
    """Take the database away for a second; return how long after its return something is sent again."""
    assert run.postgres
    run.postgres.stop(how)
    run.wait(1)
    run.postgres.start()
    back = time.monotonic()
    count = run.provider.accepted()
    run.wait_until(lambda: run.provider.accepted() > count, "sending goes on", within=60)
    return time.monotonic() - back
