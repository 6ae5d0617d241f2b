"""
Hearing that the server is about to stop, while it still runs.

uvicorn waits for open connections before it ends, and tells the application only then (lifespan shutdown); a stream
would keep it waiting until it is cancelled. So the signal itself is listened to, and handed on.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Calls `told` before the server's own handler, from `listen()` until `forget()`."""

    def __init__(self, told: Callable[[], object]) -> None:
        self._told = told
        self._servers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def listen(self) -> None:
        """Put us before the server's handlers. Python has them in the main thread only; there, servers set them."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            # The default of the system ends the process at once: nothing to hand on to, and nothing to wait for.
            if callable(handler):
                self._servers[number] = handler
                signal.signal(number, self._handle)

    def forget(self) -> None:
        """Put the server's handlers back, unless it has done so."""
        for number, handler in self._servers.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)
        self._servers = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._told()
        self._servers[number](number, frame)
