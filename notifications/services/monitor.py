"""
The dashboard's figures: how late we are, what waits, who works, what became of it.

Each is read off the end of an index, counted to a limit, or counted before (`services.statistics`). What was asked is
kept for a few seconds: ten dashboards that look on cost one.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from notifications.models import WorkerHeartbeat
from notifications.services import backlog, pauses, recent, statistics, wakeups_waiting, workload
from notifications.services.health import ALIVE_FOR
from notifications.services.workload import Load
from notifications.types import Channel, Outcome, Priority

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from notifications.models import Pause
    from notifications.services.statistics import Statistics, Window
    from notifications.services.wakeups_waiting import Depth
    from notifications.services.workload import Queue

#: Seconds for which an answer is good enough.
MAX_AGE = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How late we are with a priority."""

    priority: Priority
    #: How long its oldest row has been due that is not held; 0: none is.
    seconds: float
    #: Where that row waits. None: it is an event.
    channel: Channel | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a channel has done in the last minutes."""

    #: Messages accepted per second.
    rate: float
    failed_attempts: int
    #: Seconds within which 95 of 100 were accepted, from the decision on; None: unknown, or longer than any bound.
    most_within: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker process that ran in the last day."""

    name: str
    threads: int
    started_at: datetime
    #: How long ago it was last heard of, in seconds.
    silent: float
    fault: str
    alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """How it stands now."""

    at: datetime
    #: In the order of the priorities.
    lateness: list[Lateness]
    digests_late: float
    queues: list[Queue]
    #: By channel; those that tried nothing are left out.
    paces: dict[Channel, Pace]
    workers: list[Worker]
    broker: Depth
    pauses: list[Pause]

    @property
    def load(self) -> Load:
        """Return what waits, whatever the stage."""
        return sum((queue.load for queue in self.queues), start=Load())

    @property
    def sent(self) -> Load:
        """Return the deliveries alone."""
        return sum((queue.load for queue in self.queues if queue.channel is not None), start=Load())


def present(now: datetime) -> Present:
    """Return how it stands, at most `MAX_AGE` seconds old: about a dozen statements."""
    found: Present = _kept("present", lambda: _ask(now))
    return found


def past(window: Window, now: datetime) -> Statistics:
    """Return what became of what was made in a window, at most `MAX_AGE` seconds old: one statement."""
    found: Statistics = _kept(window.value, lambda: statistics.of(window, now=now))
    return found


_lock = threading.Lock()
_answers: dict[str, tuple[float, Any]] = {}


def forget() -> None:
    """Ask anew at the next question."""
    _answers.clear()


def _kept(name: str, ask: Callable[[], Any]) -> Any:
    # Under the lock, so that those who come at the same moment wait for the one answer.
    with _lock:
        answered = _answers.get(name)
        if answered is None or time.monotonic() - answered[0] > MAX_AGE:
            answered = _answers[name] = (time.monotonic(), ask())
        return answered[1]


def _ask(now: datetime) -> Present:
    return Present(
        at=now,
        lateness=_lateness(now),
        digests_late=backlog.oldest_digest(now),
        queues=workload.queues(now),
        paces=_paces(now),
        workers=_workers(now),
        broker=wakeups_waiting.depth(),
        pauses=pauses.in_force(now),
    )


def _lateness(now: datetime) -> list[Lateness]:
    oldest = backlog.oldest_due(now)
    found = []
    for priority in Priority:
        line, seconds = max(
            ((line, seconds) for line, seconds in oldest.items() if line.priority == priority),
            key=lambda pair: pair[1],
        )
        found.append(Lateness(priority=priority, seconds=seconds, channel=line.channel))
    return found


def _paces(now: datetime) -> dict[Channel, Pace]:
    attempts, latencies = recent.attempts(now)
    window = max(attempts.window, 1.0)
    numbers: dict[Channel, Counter[str]] = {}
    for (channel, outcome), number in attempts.numbers.items():
        numbers.setdefault(Channel(channel), Counter())[outcome] += number
    return {
        channel: Pace(
            rate=outcomes[Outcome.SENT] / window,
            failed_attempts=outcomes.total() - outcomes[Outcome.SENT],
            most_within=_most_within(latencies.get(channel)),
        )
        for channel, outcomes in numbers.items()
    }


def _most_within(latency: recent.Latency | None) -> float | None:
    if latency is None or not latency.number:
        return None
    wanted = latency.number * 0.95
    return next((bound for bound, number in zip(recent.BOUNDS, latency.within, strict=True) if number >= wanted), None)


def _workers(now: datetime) -> list[Worker]:
    return [
        Worker(
            name=str(row),
            threads=row.threads,
            started_at=row.started_at,
            silent=max((now - row.seen_at).total_seconds(), 0.0),
            fault=row.fault,
            alive=row.seen_at > now - ALIVE_FOR,
        )
        for row in WorkerHeartbeat.objects.order_by("-seen_at", "host", "process")
    ]
