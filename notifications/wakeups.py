"""
Wake-ups: "there is work", never the work itself.

Business code rings; one background thread sends. A request never touches the broker's socket, and a wake-up that
cannot be sent is dropped and counted: the row is committed, so the clock finds it.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import dramatiq

from notifications import clock, signals
from notifications.types import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

#: The actor, and its queue, that makes events for a named audience.
EXPAND = "expand_broadcast"
#: A wake-up for something due later than this is left to the clock: the broker is not a calendar.
HORIZON = timedelta(seconds=60)
#: Wake-ups of one actor that fall into the same slice are one message.
SLICE = 0.02
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


class _Sender:
    """A bounded, coalescing buffer and the one thread that empties it."""

    def __init__(self, send: Callable[[str, int | None], None]) -> None:
        self._send = send
        self._condition = threading.Condition()
        #: (actor, slice of time.monotonic) → when it is due, by time.monotonic.
        self._waiting: dict[tuple[str, int], float] = {}
        self._thread: threading.Thread | None = None
        self.failing = False
        self.dropped = 0

    def put(self, actor: str, delay: float) -> None:
        due = time.monotonic() + delay
        key = (actor, int(due / SLICE) if delay else 0)
        with self._condition:
            if key not in self._waiting and len(self._waiting) >= CAPACITY:
                self.dropped += 1
                return
            self._waiting.setdefault(key, due)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wake-ups", daemon=True)
                self._thread.start()
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._waiting:
                    self._condition.wait()
                batch, self._waiting = self._waiting, {}
            self._send_all([(actor, due) for (actor, _), due in batch.items()])
            if self.failing:
                time.sleep(PAUSE_AFTER_FAILURE)

    def _send_all(self, batch: list[tuple[str, float]]) -> None:
        for index, (actor, due) in enumerate(batch):
            delay = due - time.monotonic()
            try:
                self._send(actor, int(delay * 1000) + 1 if delay > SLICE else None)
            except Exception as e:  # noqa: BLE001 - the edge: whatever the broker's client raises, the row is committed
                # The rest would only wait for the same time-out.
                self.dropped += len(batch) - index
                self.failing = True
                signals.wakeup_dropped.send(_Sender, actor=actor, error=e, dropped=self.dropped)
                return
        self.failing = False


def _enqueue(actor: str, delay: int | None) -> None:
    message: dramatiq.Message[Any] = dramatiq.Message(
        queue_name=actor, actor_name=actor, args=(), kwargs={}, options={}
    )
    dramatiq.get_broker().enqueue(message, delay=delay)


_sender = _Sender(_enqueue)


def _after_fork() -> None:
    """Begin anew: the parent's thread does not exist here, and its waiting wake-ups are the parent's to send."""
    global _sender  # noqa: PLW0603
    _sender = _Sender(_enqueue)


os.register_at_fork(after_in_child=_after_fork)
