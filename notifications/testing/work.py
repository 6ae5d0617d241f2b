"""What the clock and the actors of a worker do, done here and now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import dramatiq
from django.db.models import Min, Q

from notifications import clock, tasks
from notifications.maintenance.sweeper import due_actors
from notifications.models import Event
from notifications.pipeline import pausing
from notifications.worker import Clock

if TYPE_CHECKING:
    from datetime import datetime

#: Rounds at one instant after which it is plain that they will not end.
MAX_ROUNDS = 1000
#: Jobs of the clock that move nothing of a story: they ring, beat, count, and take away what is old.
LEFT_OUT = frozenset({"sweeper", "heartbeat", "heartbeats", "rollup", "pruner"})
#: Columns that say when something happens by itself.
TIMES = frozenset({"due_at", "expires_at", "lease_until", "snoozed_until", "until"})
#: A lease has run out when its end is past, not at it.
SOONEST = timedelta(microseconds=1)


class Work:
    """The jobs of the clock and the steps of the actors, without their threads and without a broker."""

    def __init__(self) -> None:
        # Never started: it only knows its jobs, in their order.
        its_clock = Clock(dramatiq.Worker(dramatiq.get_broker()), ends_process=False)
        self.jobs = [job for job in its_clock._jobs if job.name not in LEFT_OUT]  # noqa: SLF001 - the one list there is

    def run(self) -> None:
        """Do what is due now, and what follows from it, until nothing moves."""
        for _ in range(MAX_ROUNDS):
            moved = self._round(clock.now())
            if not moved:
                return
        message = (
            f"After {MAX_ROUNDS} rounds at {clock.now().isoformat()} there is still work for {', '.join(moved)}. "
            "Does a receiver publish again whenever something is sent?"
        )
        raise RuntimeError(message)

    def _round(self, now: datetime) -> list[str]:
        """Run everything once; return the names of what had something to do."""
        # A pause made a moment ago, by hand, holds.
        pausing.forget()
        moved = [job.name for job in self.jobs if job.run(now, job.batch)]
        steps = tasks.steps()
        return moved + [actor for actor in due_actors(now) if steps[actor](more=_nothing)]


def next_instant(after: datetime) -> datetime | None:
    """
    Return when, after an instant, something may happen by itself; None: never.

    Of every row, over or not: to stop once too often does no harm.
    """
    found = []
    for model in Event._meta.app_config.get_models():
        columns = [field.name for field in model._meta.concrete_fields if field.name in TIMES]
        if not columns:
            continue
        late = {name: SOONEST if name == "lease_until" else timedelta(0) for name in columns}
        first = {f"first_{name}": Min(name, filter=Q(**{f"{name}__gt": after - late[name]})) for name in columns}
        found += [
            at + late[name.removeprefix("first_")]
            for name, at in model._default_manager.aggregate(**first).items()
            if at
        ]
    return min(found, default=None)


def _nothing() -> None:
    """Stand for the wake-up of a second drain."""
