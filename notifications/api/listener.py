"""One open stream: who listens, and what it has still to be sent."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from rest_framework.utils.encoders import JSONEncoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Frames that may wait for a slow browser; then it gets none of them, and is told to fetch everything again.
CAPACITY = 100


def frame(event: str, data: Any) -> bytes:
    """Return an event of the stream; JSON has no line breaks of its own."""
    return f"event: {event}\ndata: {json.dumps(data, cls=JSONEncoder, separators=(',', ':'))}\n\n".encode()


def bye(reason: str) -> bytes:
    """Return the last event of a stream."""
    return frame("bye", {"reason": reason})


READY = frame("ready", {})
BEAT = b": beat\n\n"


class Listener:
    """A browser that listens, with a bounded queue of frames."""

    def __init__(self, *, recipient: str, language: str, session_key: str) -> None:
        self.recipient = recipient
        self.language = language
        self.session_key = session_key
        #: Set when nothing comes after what waits now.
        self.ended = asyncio.Event()
        self._waiting: list[bytes] = []
        self._arrived = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Have a frame sent, in the order of the calls."""
        if self.ended.is_set():
            return
        if len(self._waiting) >= CAPACITY:
            self._waiting, frame = [], READY
        self._waiting.append(frame)
        self._arrived.set()

    def beat(self) -> None:
        """Have the browser, and every proxy on the way, see that the stream lives; what waits shows it as well."""
        if not self._waiting:
            self.put(BEAT)

    def end(self, reason: str) -> None:
        """Say good-bye, instead of what waits, and let nothing follow."""
        if not self.ended.is_set():
            self._waiting = [bye(reason)]
            self._arrived.set()
            self.ended.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield what waits, all of it at a time, until the stream is ended."""
        while not (self.ended.is_set() and not self._waiting):
            await self._arrived.wait()
            self._arrived.clear()
            waiting, self._waiting = self._waiting, []
            yield b"".join(waiting)
