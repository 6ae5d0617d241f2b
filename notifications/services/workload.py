"""What waits, is under way and was done, by stage and priority: the queue as people know it from a job dashboard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from notifications import conf
from notifications.services import backlog, statistics
from notifications.services.backlog import COUNTED, Waiting
from notifications.services.statistics import FAILED, SENT
from notifications.types import Channel, EventState, Priority

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.services.backlog import Backlog


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Numbers of rows. What waits is counted to `COUNTED` in each line."""

    due: int = 0
    held: int = 0
    delayed: int = 0
    active: int = 0
    #: Of what was made in the last 24 hours.
    completed: int = 0
    failed: int = 0
    #: There are more than were counted.
    at_least: bool = False

    def __add__(self, other: Load) -> Load:
        return Load(
            due=self.due + other.due,
            held=self.held + other.held,
            delayed=self.delayed + other.delayed,
            active=self.active + other.active,
            completed=self.completed + other.completed,
            failed=self.failed + other.failed,
            at_least=self.at_least or other.at_least,
        )

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to show."""
        return self == Load()


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The work of a stage: dispatch, or a channel."""

    #: None: events.
    channel: Channel | None
    by_priority: dict[Priority, Load]

    @property
    def load(self) -> Load:
        """Return all of it."""
        return sum(self.by_priority.values(), start=Load())


def queues(now: datetime) -> list[Queue]:
    """Return dispatch, then every channel that is set up or has work left: five statements."""
    waiting = {(found.line.channel, found.line.priority): found for found in backlog.backlogs(now)}
    completed, failed = _done(now)
    stages = [
        Queue(
            channel=stage,
            by_priority={
                priority: _load(waiting.get((stage, priority)), completed[stage, priority], failed[stage, priority])
                for priority in Priority
            },
        )
        for stage in (None, *Channel)
    ]
    # A channel that was taken out of the settings may have left work behind.
    expected = {None, Channel.IN_APP, *conf.channels()}
    return [queue for queue in stages if queue.channel in expected or not queue.load.is_empty]


def _done(now: datetime) -> tuple[Counter[tuple[Channel | None, Priority]], Counter[tuple[Channel | None, Priority]]]:
    """Return what was completed and what failed, by stage and priority."""
    completed: Counter[tuple[Channel | None, Priority]] = Counter()
    failed: Counter[tuple[Channel | None, Priority]] = Counter()
    deliveries, events = statistics.lately(now=now)
    for (channel, priority, state), number in deliveries.items():
        if state in SENT or state in FAILED:
            (completed if state in SENT else failed)[Channel(channel), Priority(priority)] += number
    for (priority, event_state), number in events.items():
        if event_state in {EventState.DISPATCHED, EventState.FAILED}:
            (completed if event_state == EventState.DISPATCHED else failed)[None, Priority(priority)] += number
    return completed, failed


def _load(found: Backlog | None, completed: int, failed: int) -> Load:
    if found is None:
        return Load(completed=completed, failed=failed)
    due, held, delayed = (found.numbers[kind] for kind in (Waiting.DUE, Waiting.HELD, Waiting.DELAYED))
    return Load(
        due=due,
        held=held,
        delayed=delayed,
        active=found.numbers[Waiting.ACTIVE],
        completed=completed,
        failed=failed,
        at_least=due + held >= COUNTED or delayed >= COUNTED,
    )
