"""Workers that are killed, suspended, replaced, or too many."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.chaos import tables
from tests.chaos.crew import DRAINS
from tests.chaos.people import OUTSIDE, address
from tests.chaos.provider import Behaviour
from tests.chaos.run import LOOK_AT_TABLES, OutOfTime
from tests.chaos.scenario import scenario

if TYPE_CHECKING:
    from tests.chaos.processes import Process
    from tests.chaos.run import Run

#: Seconds by which a worker's machine is wrong about the time.
SKEW = 300
#: Seconds by which two processes may differ over the database's.
TOLERANCE = 0.1
#: Times a worker may be suspended until one of them was within a call.
MOST_PAUSES = 3


@scenario(short=75, full=1500, patient=True)
def workers_killed(run: Run) -> None:
    """
    Kill -9 a random worker every 2 s, while every event goes out by e-mail and by text message.

    Nothing is lost. A kill doubles no more e-mails than its worker was sending, and no text message.
    """
    lease = run.pick(short=8, full=60)
    run.configure(LEASE=lease)
    run.provider.script("email", Behaviour(delay=0.005))
    run.start_workers(run.pick(short=3, full=4))
    numbers = range(1, run.pick(short=500, full=20_000) + 1)
    # Slowly enough that the killing is not over before the work is, on however fast a machine.
    run.publish_to(numbers, rate=run.pick(short=60, full=200))
    most = run.pick(short=4, full=300)
    run.wait_until(lambda: run.provider.accepted() > 0, "the first is sent")

    kills = 0
    # The last ones are left in peace: how long they take is the recovery.
    while kills < most and run.provider.accepted() < 0.95 * len(numbers) * len(OUTSIDE):
        run.wait(2)
        run.crew.kill_one(run.random)
        kills += 1

    run.report.at_most("recovery_seconds", run.rest(), lease + 30)
    run.report.at_least("kills", kills, run.pick(short=3, full=30))
    verdict = run.judge(duplicate_emails=kills * DRAINS)
    run.report.at_most("unknown", verdict.states["sms", "unknown"], kills * DRAINS)


@scenario(short=60, full=300, patient=True)
def worker_stopped_past_its_lease(run: Run) -> None:
    """
    Suspend a worker while it sends, until its leases have run out and others have taken over; then let it go on.

    What it writes then changes nothing. At most the e-mails it was sending are doubled, no text message is.
    """
    lease = run.pick(short=8, full=60)
    run.configure(LEASE=lease)
    for channel in OUTSIDE:
        # Long calls: whoever is stopped is within one.
        run.provider.script(channel, Behaviour(delay=0.3))
    run.start_workers(2)
    # More than one of them can hold: both are sending.
    numbers = range(1, run.pick(short=400, full=2000) + 1)
    run.publish_to(numbers)
    run.wait_until(lambda: run.provider.accepted() >= 60, "the sending is under way")

    # One that is stopped between two calls has nothing to say afterwards.
    pauses = 0
    while not _late_results(run) and pauses < MOST_PAUSES:
        victim, held = _pause_one_that_sends(run, patience=lease / 2)
        _wait_for_others(run, held)
        victim.resume()
        pauses += 1
        with suppress(OutOfTime):
            run.wait_until(lambda: _late_results(run) >= 1, "a late result is in", within=5, every=LOOK_AT_TABLES)
    for channel in OUTSIDE:
        run.provider.script(channel, Behaviour())

    run.report.note(recovery_seconds=run.rest(), pauses=pauses)
    # Whoever wakes up late still has to be heard out.
    run.wait(1)
    verdict = run.judge(duplicate_emails=pauses * DRAINS)
    run.report.at_most("unknown", verdict.states["sms", "unknown"], pauses * DRAINS)
    fenced = _late_results(run)
    run.report.at_least("late_results_fenced", fenced, 1)


def _pause_one_that_sends(run: Run, *, patience: float) -> tuple[Process, set[str]]:
    """Suspend a worker; return it with the leases that it holds. Whoever was between two claims is let go again."""
    while True:
        victim = run.random.choice(run.crew.workers)
        victim.pause()
        held = _leases(run)
        # Longer than the others hold any of theirs.
        run.wait(patience)
        held &= _leases(run)
        if held:
            return victim, held
        victim.resume()


def _wait_for_others(run: Run, held: set[str]) -> None:
    run.wait_until(lambda: held.isdisjoint(_leases(run)), "others have taken over", every=LOOK_AT_TABLES)


def _leases(run: Run) -> set[str]:
    sql = "SELECT DISTINCT lease_token FROM notifications_delivery WHERE state = 'sending'"
    return {str(token) for (token,) in tables.query(run.environment["DATABASE_URL"], sql)}


def _late_results(run: Run) -> int:
    """Return how many answers came after their lease: e-mails sent twice, and texts nobody knows of."""
    found = run.tables()
    texts = [row for row in found.deliveries if (row.channel, row.state) == ("sms", "unknown")]
    return sum(number - 1 for number in found.sent_tries.values()) + len(texts)


@scenario(short=60, full=400, patient=True)
def workers_replaced(run: Run) -> None:
    """
    Replace each worker in turn, as a deployment does: SIGTERM, while events keep coming.

    Nothing is doubled, no try is spent, every worker ends with 0.
    """
    run.provider.script("email", Behaviour(delay=0.01))
    run.start_workers(2)
    seconds = run.pick(short=8, full=120)
    publishing = run.publish_to(range(1, run.pick(short=50, full=80) * seconds + 1), rate=run.pick(short=50, full=80))
    codes: list[int] = []
    least = run.pick(short=2, full=8)
    while not publishing.over or len(codes) < least:
        run.wait(run.pick(short=2, full=10))
        # Nor does a deployment take one away that has not begun yet.
        run.wait_until(lambda: run.crew.ready, "all workers are at work")
        codes.append(run.crew.replace(run.crew.workers[0]))

    run.report.note(recovery_seconds=run.rest())
    run.judge()
    run.report.at_least("replaced", len(codes), least)
    run.report.equal("worst_code", max(codes, key=abs), 0)
    deliveries = run.tables().deliveries
    run.report.equal("tries_spent_in_vain", sum(row.attempts > 1 for row in deliveries), 0)
    run.report.equal("claims_not_given_back", sum(row.claims > 0 for row in deliveries), 0)


@scenario(short=60, full=200)
def clocks_apart(run: Run) -> None:
    """
    Let one worker live five minutes ahead and another five minutes behind, with retries to come.

    They follow the database's clock: nothing is lost or doubled, and no retry is early, or late.
    """
    numbers = range(1, run.pick(short=60, full=600) + 1)
    emails = [address(number, "email") for number in numbers]
    run.provider.script("email", Behaviour(answers=("451",)), addresses=emails[::4])
    for seconds in (SKEW, -SKEW):
        run.environment["CHAOS_SKEW"] = str(seconds)
        run.start_workers(1)
    del run.environment["CHAOS_SKEW"]
    run.publish_to(numbers, rate=run.pick(short=20, full=40))

    run.report.at_most("recovery_seconds", run.rest(), run.pick(short=30, full=60))
    run.judge()
    tries: defaultdict[str, list[int]] = defaultdict(list)
    for call in run.provider.calls():
        tries[call.address].append(call.begun)
    gaps = [(again - first) / 1e9 for first, again in (at for at in tries.values() if len(at) == 2)]
    run.report.equal("retries", len(gaps), len(emails[::4]))
    run.report.at_least("shortest_wait", min(gaps), 2 - TOLERANCE)
    run.report.at_most("longest_wait", max(gaps), 4)


@scenario(short=60, full=300, redis=False, patient=True)
def several_clocks(run: Run) -> None:
    """
    Let the clocks of several workers find the work, all at once and with no broker between them.

    Each row is worked on once.
    """
    run.configure(CLOCK_INTERVAL=0.1)
    run.start_workers(run.pick(short=3, full=5))
    run.publish_to(range(1, run.pick(short=300, full=5000) + 1), channels=("in_app", *OUTSIDE))
    run.report.note(recovery_seconds=run.rest())
    run.judge()
    deliveries = run.tables().deliveries
    run.report.equal("worked_on_twice", sum(row.attempts > 1 for row in deliveries), 0)
