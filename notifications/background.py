"""
A bounded, coalescing buffer and the one background thread that empties it.

What is put here is worth sending and not worth waiting for: whoever puts never touches a socket, and what cannot be
sent is dropped and counted.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Key = TypeVar("Key")
Value = TypeVar("Value")


class BackgroundSender(ABC, Generic[Key, Value]):
    """Keeps one value per key until its thread, begun with the first of them, has sent it."""

    def __init__(self, *, name: str, capacity: int, pause: float, rest: float) -> None:
        self.name = name
        #: Keys waiting to be sent; more are dropped.
        self.capacity = capacity
        #: Seconds to wait after a failure before trying again.
        self.pause = pause
        #: Seconds to wait after a batch: the first goes at once, and what comes right after it goes as one.
        self.rest = rest
        self.failing = False
        self.dropped = 0
        self._condition = threading.Condition()
        self._waiting: dict[Key, Value] = {}
        #: Items since the last batch, those included whose keys were there already.
        self._came = 0
        self._thread: threading.Thread | None = None
        _senders.add(self)

    @abstractmethod
    def send_all(self, batch: dict[Key, Value]) -> None:
        """Send the batch, in the thread; take out of it what has gone, so that an exception drops only the rest."""

    @abstractmethod
    def tell(self, batch: dict[Key, Value], error: Exception) -> None:
        """Say that this rest of a batch was dropped."""

    def add(self, *items: tuple[Key, Value]) -> None:
        """Keep values by their keys, from any thread, without waiting; a key that waits already keeps what it has."""
        with self._condition:
            self._came += len(items)
            for key, value in items:
                if key not in self._waiting and len(self._waiting) >= self.capacity:
                    self.dropped += 1
                    continue
                self._waiting.setdefault(key, value)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()
            self._condition.notify()

    def begin_anew(self) -> None:
        """Be as new, in a process that was forked: the thread does not exist here, and what waits is the parent's."""
        self.failing = False
        self.dropped = 0
        self._condition = threading.Condition()
        self._waiting = {}
        self._came = 0
        self._thread = None

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._waiting:
                    self._condition.wait()
                batch, self._waiting = self._waiting, {}
                came, self._came = self._came, 0
            self._send(batch)
            time.sleep(self.pause if self.failing else self.rest_after(came))

    def rest_after(self, came: int) -> float:
        """Return the seconds to wait after a batch that stands for so many items."""
        return self.rest

    def _send(self, batch: dict[Key, Value]) -> None:
        try:
            self.send_all(batch)
        except Exception as e:  # noqa: BLE001 - the edge: whatever a client raises, the next batch deserves its try
            # The rest would only wait for the same time-out.
            self.dropped += len(batch)
            self.failing = True
            self.tell(batch, e)
            return
        self.failing = False


#: A sender that nobody holds any more needs no care.
_senders: WeakSet[BackgroundSender[Any, Any]] = WeakSet()


def _after_fork() -> None:
    for sender in list(_senders):
        sender.begin_anew()


os.register_at_fork(after_in_child=_after_fork)
