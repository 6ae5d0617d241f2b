"""
How drains share a process: a few of each kind at once, and no wake-up lost while the last one leaves.

A slow channel fills its own places and no more, so its neighbours always find a thread.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from notifications import conf, signals, wakeups
from notifications.pipeline import sizing

if TYPE_CHECKING:
    from collections.abc import Callable

#: Drains of one dispatch actor in one process: a second one would only wait for the interpreter.
DISPATCH_DRAINS = 1
#: Seconds between two rounds of a drain under a stream, at least and at most; between them, as a multiple of what the
#: last round took. A round costs the same twenty queries for one row and for fifty: the longer it takes, the more the
#: machine has to do, and the more it helps to do together what comes meanwhile.
BREATH, LONGEST_BREATH, BREATHS = 0.1, 0.4, 8


class Step(Protocol):
    """Claim a batch, work on it, settle it; return how many rows it had. `more()` is called when it was full."""

    def __call__(self, *, more: Callable[[], None]) -> int: ...


class Places:
    """The places for drains in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        #: Actors whose wake-up found no place: whoever leaves looks here, under the same lock.
        self._again: set[str] = set()
        #: Threads of the worker; set when it boots.
        self.threads = 10
        #: Set when the worker is told to stop.
        self.stopping = threading.Event()

    def enter(self, actor: str) -> bool:
        """Take a place; False: there is none, and one of those who have one will look again before leaving."""
        with self._lock:
            if not self._has_room(actor):
                self._again.add(actor)
                return False
            self._running[actor] += 1
            return True

    def leave(self, actor: str) -> tuple[bool, str | None]:
        """
        Give the place back, unless a wake-up came in the meantime: (True, None) means go round again.

        Otherwise the second value names an actor that was turned away and may have the place now.
        """
        with self._lock:
            surplus = self._running[actor] > self._most(actor)
            if actor in self._again and not surplus and not self.stopping.is_set():
                self._again.discard(actor)
                return True, None
            self._running[actor] -= 1
            waiting = next((name for name in self._again if self._has_room(name)), None)
            if waiting is not None:
                self._again.discard(waiting)
            return False, waiting

    def number(self) -> int:
        """Return how many drains are running here."""
        with self._lock:
            return self._running.total()

    def busy(self, actor: str) -> bool:
        """Tell whether a drain of this actor is running here."""
        with self._lock:
            return self._running[actor] > 0

    def has_surplus(self, actor: str) -> bool:
        """Tell whether more drains of this actor are running than there should be by now."""
        with self._lock:
            return self._running[actor] > self._most(actor)

    def _has_room(self, actor: str) -> bool:
        if self._running[actor] >= self._most(actor):
            return False
        delivering = sum(number for name, number in self._running.items() if name.startswith("deliver_"))
        return not actor.startswith("deliver_") or delivering < max(self.threads - 2, 1)

    @staticmethod
    def _most(actor: str) -> int:
        if not actor.startswith("deliver_"):
            return DISPATCH_DRAINS
        # Where a provider takes whole batches at once, a second one would only wait for the interpreter.
        return conf.current().drains_per_channel if sizing.waits_for_provider(actor) else 1


places = Places()


def drain(actor: str, step: Step) -> int:
    """Work until nothing is due, the drain's time is up or the worker stops; return how many rows were handled."""
    if not places.enter(actor):
        return 0
    handled, again = 0, True
    while again:
        started = time.monotonic()
        try:
            handled += _drain_once(actor, step)
        except Exception as e:  # noqa: BLE001 - the edge: leases run out, the clock comes back for the rows
            signals.drain_failed.send(Places, actor=actor, error=e)
        again, waiting = places.leave(actor)
        if again:
            # It rang while we worked, so there is a stream: what comes within a moment is done together.
            places.stopping.wait(_breath(time.monotonic() - started))
        if waiting is not None:
            wakeups.ring(waiting)
    return handled


def _breath(took: float) -> float:
    return min(max(BREATHS * took, BREATH), LONGEST_BREATH)


class _More:
    """There is more than one drain took: ring for another, and go on."""

    def __init__(self, actor: str) -> None:
        self._actor = actor
        self.is_waiting = False

    def __call__(self) -> None:
        self.is_waiting = True
        wakeups.ring(self._actor)


def _drain_once(actor: str, step: Step) -> int:
    handled = 0
    until = time.monotonic() + conf.current().drain_time
    while not places.stopping.is_set():
        more = _More(actor)
        number = step(more=more)
        handled += number
        # Less than was asked for: whatever is due since then has rung, or the clock comes for it.
        if number == 0 or not more.is_waiting:
            break
        if time.monotonic() > until or places.has_surplus(actor):
            wakeups.ring(actor)
            break
    return handled
