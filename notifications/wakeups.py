"""
Wake-ups: "there is work", never the work itself.

Business code rings; one background thread sends. A request never touches the broker's socket, and a wake-up that
cannot be sent is dropped and counted: the row is committed, so the clock finds it.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import dramatiq

from notifications import clock, signals
from notifications.background import BackgroundSender
from notifications.types import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

#: The actor, and its queue, that makes events for a named audience.
EXPAND = "expand_broadcast"
#: A wake-up for something due later than this is left to the clock: the broker is not a calendar.
HORIZON = timedelta(seconds=60)
#: Wake-ups of one actor that fall into the same slice are one message.
SLICE = 0.02
#: Seconds the sender rests after a batch: under a stream of events it wakes a worker so often and no more.
REST = 0.05
#: Where so many rings came in that time, there is a stream, whose events are worked on together anyway: it rests longer.
MANY, LONG_REST = 5, 0.2
#: Different (actor, slice) pairs waiting to be sent; more are dropped.
CAPACITY = 1000
#: The sender waits this long after a failure before it tries the broker again.
PAUSE_AFTER_FAILURE = 1.0


def dispatch_actor(priority: int) -> str:
    """Return the name of the actor, and of its queue, that dispatches events of this priority."""
    return f"dispatch_{Priority(priority).name.lower()}"


def deliver_actor(channel: str) -> str:
    """Return the name of the actor, and of its queue, that delivers by this channel."""
    return f"deliver_{channel}"


def ring(actor: str, due_at: datetime | None = None) -> None:
    """Wake `actor` at `due_at` (aware; None: now), from any thread, without waiting. Beyond a minute: not at all."""
    delay = (due_at - clock.now()).total_seconds() if due_at else 0.0
    if delay <= HORIZON.total_seconds():
        _sender.put(actor, max(delay, 0.0))


def is_failing() -> bool:
    """Tell whether the last wake-up could not be sent."""
    return _sender.failing


def dropped() -> int:
    """Return how many wake-ups were dropped since the process began."""
    return _sender.dropped


class _Sender(BackgroundSender[tuple[str, int], float]):
    """(actor, slice of time.monotonic) → when it is due, by time.monotonic."""

    def __init__(self, send: Callable[[str, int | None], None]) -> None:
        super().__init__(name="wake-ups", capacity=CAPACITY, pause=PAUSE_AFTER_FAILURE, rest=REST)
        self._enqueue = send

    def rest_after(self, came: int) -> float:
        return LONG_REST if came >= MANY else self.rest

    def put(self, actor: str, delay: float) -> None:
        due = time.monotonic() + delay
        self.add(((actor, int(due / SLICE) if delay else 0), due))

    def send_all(self, batch: dict[tuple[str, int], float]) -> None:
        for key, due in list(batch.items()):
            delay = due - time.monotonic()
            self._enqueue(key[0], int(delay * 1000) + 1 if delay > SLICE else None)
            del batch[key]

    def tell(self, batch: dict[tuple[str, int], float], error: Exception) -> None:
        actor, _ = next(iter(batch))
        signals.wakeup_dropped.send(_Sender, actor=actor, error=error, dropped=self.dropped)


def _enqueue(actor: str, delay: int | None) -> None:
    message: dramatiq.Message[Any] = dramatiq.Message(
        queue_name=actor, actor_name=actor, args=(), kwargs={}, options={}
    )
    dramatiq.get_broker().enqueue(message, delay=delay)


_sender = _Sender(_enqueue)
