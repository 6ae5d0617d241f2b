"""The same thing published by many at the same instant."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.chaos.people import OUTSIDE
from tests.chaos.publications import Publication
from tests.chaos.scenario import scenario

if TYPE_CHECKING:
    from tests.chaos.run import Run

THREADS = 12


@scenario(short=45, full=120, patient=True)
def one_key_many_threads(run: Run) -> None:
    """
    Publish from 12 threads at the same instant under one idempotency key; then something else under the same key.

    One event, eleven replays of it, one message; and the something else is refused.
    """
    numbers = range(1, run.pick(short=20, full=500) + 1)
    run.start_workers(2)
    same = [Publication(numbers=(number,), channels=OUTSIDE, key=f"key-{number}") for number in numbers]
    together = run.publish([item for item in same for _ in range(THREADS)], threads=THREADS)
    run.wait_until(lambda: together.over, "all is published")
    other = run.publish(
        [
            Publication(numbers=(number,), channels=OUTSIDE, key=f"key-{number}", tracking_code="2Z")
            for number in numbers
        ]
    )

    run.report.note(recovery_seconds=run.rest())
    run.judge()
    events: defaultdict[str, set[str]] = defaultdict(set)
    created: Counter[str] = Counter()
    for item in together.accepted():
        events[item.key].update(item.events)
        created[item.key] += item.created
    run.report.equal("calls", len(together.accepted()), THREADS * len(numbers))
    run.report.equal("keys_with_one_event", sum(len(ids) == 1 for ids in events.values()), len(numbers))
    run.report.equal("keys_created_once", sum(number == 1 for number in created.values()), len(numbers))
    refused = Counter(item.error for item in other.refused())
    run.report.equal("conflicts", refused["IdempotencyConflict"], len(numbers))
    run.report.equal("conflicts_let_in", len(other.accepted()), 0)
