"""An audience that is told while its expanders die."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.chaos import tables
from tests.chaos.crew import DRAINS
from tests.chaos.publications import Publication
from tests.chaos.scenario import scenario

if TYPE_CHECKING:
    from tests.chaos.run import Run

EXPANSION = "SELECT expanded_count, state FROM notifications_broadcast"


@scenario(short=75, full=1200, patient=True)
def expander_killed(run: Run) -> None:
    """
    Kill -9 a random worker every second while a named audience is expanded into events.

    Everybody has one inbox item and one e-mail. A kill doubles no more e-mails than its worker was sending.
    """
    lease = run.pick(short=8, full=15)
    # Few to an event, so that the expansion takes many steps.
    run.configure(LEASE=lease, CHUNK_SIZE=run.pick(short=1, full=5))
    run.start_workers(run.pick(short=3, full=4))
    # All the people there are: that is the audience.
    numbers = range(1, run.people + 1)
    told = Publication(numbers=tuple(numbers), channels=("in_app", "email"), audience="customers", priority="low")
    publishing = run.publish([told])
    run.wait_until(lambda: publishing.over and progress(run)[0] > 0, "the expansion is under way")

    kills = 0
    while kills < run.pick(short=5, full=100) and progress(run)[1] != "expanded":
        run.crew.kill_one(run.random)
        kills += 1
        run.wait(1)

    run.report.at_least("kills", kills, run.pick(short=1, full=5))
    run.report.note(recovery_seconds=run.rest())
    run.judge(duplicate_emails=kills * DRAINS)
    told_by = Counter(recipient for (_, recipient), items in run.tables().inbox.items() for _ in range(items))
    run.report.equal("not_told", len(numbers) - len(told_by), 0)
    run.report.equal("told_twice", sum(times - 1 for times in told_by.values()), 0)
    run.report.equal("expanded", progress(run)[0], len(numbers))


def progress(run: Run) -> tuple[int, str]:
    """Return for how many there are events, and the state of the broadcast."""
    ((made, state),) = tables.query(run.environment["DATABASE_URL"], EXPANSION)
    return made, state
