"""The open streams of this process: who listens, what was announced to them, and who has to go."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from notifications import conf, signals
from notifications.api import frames
from notifications.api.admission import Admission
from notifications.api.listener import READY, Listener
from notifications.api.reader import Reader, reader
from notifications.api.stopping import StopSignals

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from uuid import UUID

    from notifications.api.stream_token import Pass

#: Seconds in which announcements are gathered, to be read from the database together.
GATHER = 0.05
#: Announcements of one recipient that are read one by one; with more, the browser fetches its list again.
MANY = 50
#: Recipients whose announcements are read together.
BATCH = 500
#: Seconds between two signs of life.
HEARTBEAT = 15.0
#: Seconds before the database is asked again, if it did not answer.
PAUSE_AFTER_FAILURE = 1.0


class Hub:
    """
    Everything streams have in common, in one event loop; at work while any is open.

    Two threads read the database for all of them: one for what is announced, one for the sessions.
    """

    def __init__(self) -> None:
        self._streams: Counter[str] = Counter()
        #: Those whose session was looked up, by recipient.
        self._listeners: dict[str, set[Listener]] = {}
        self._everybody: set[Listener] = set()
        self._announced: dict[str, set[UUID] | None] = {}
        self._has_announced = asyncio.Event()
        self._stopping = False
        self._started = False

    def open(self, granted: Pass, session_key: str) -> Listener | str:
        """Return a new listener, or the reason why there can be none."""
        config, recipient = conf.current(), granted.recipient
        if self._stopping:
            return "stopping"
        if self._streams[recipient] >= config.streams_per_user or self._streams.total() >= config.streams_per_process:
            return "full"
        if not self._started:
            self._start()
        listener = Listener(recipient=recipient, language=granted.language, session_key=session_key)
        self._streams[recipient] += 1
        self._everybody.add(listener)
        self._admission.add(listener)
        return listener

    def close(self, listener: Listener) -> None:
        """Forget a listener."""
        recipient = listener.recipient
        self._streams[recipient] -= 1
        self._everybody.discard(listener)
        self._admission.discard(listener)
        others = self._listeners.get(recipient, set())
        others.discard(listener)
        if not others and self._listeners.pop(recipient, None) is not None:
            self._reader.leave(recipient)
            self._announced.pop(recipient, None)
        # Without those who have none left.
        self._streams += Counter()
        if not self._everybody:
            self._stop()

    def stop_all(self) -> None:
        """End every stream, because the server is about to stop."""
        self._stopping = True
        for listener in self._everybody:
            listener.end("stopping")

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._started = True
        self._item_thread = ThreadPoolExecutor(1, thread_name_prefix="stream-items")
        self._session_thread = ThreadPoolExecutor(1, thread_name_prefix="stream-sessions")
        self._admission = Admission(self._session_thread, self._admit)
        self._reader: Reader = reader(self._announce, self._confirm)
        self._reader.start()
        self._stop_signals = StopSignals(partial(loop.call_soon_threadsafe, self.stop_all))
        self._stop_signals.listen()
        work: tuple[Coroutine[None, None, None], ...] = (self._admission.run(), self._tell(), self._beat())
        self._tasks = [loop.create_task(one) for one in work]

    def _stop(self) -> None:
        self._started = False
        self._stop_signals.forget()
        self._reader.stop()
        for task in self._tasks:
            task.cancel()
        for executor in (self._item_thread, self._session_thread):
            executor.shutdown(wait=False)

    def _admit(self, listener: Listener) -> None:
        self._listeners.setdefault(listener.recipient, set()).add(listener)
        if self._reader.want(listener.recipient):
            listener.put(READY)

    def _confirm(self, recipient: str) -> None:
        """Have the recipient's browsers fetch everything: from now on, what changes is announced."""
        for listener in self._listeners.get(recipient, ()):
            listener.put(READY)

    def _announce(self, recipient: str, notification_id: UUID | None) -> None:
        if recipient not in self._listeners:
            return
        announced = self._announced.setdefault(recipient, set())
        if announced is None:
            return
        if notification_id is None or len(announced) >= MANY:
            self._announced[recipient] = None
        else:
            announced.add(notification_id)
        self._has_announced.set()

    async def _tell(self) -> None:
        """Tell the browsers what was announced, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._has_announced.wait()
            await asyncio.sleep(GATHER)
            batch = self._take()
            try:
                told = await loop.run_in_executor(self._item_thread, frames.build, batch, self._languages())
            except Exception as e:  # noqa: BLE001 - the edge: the streams outlive the database's trouble
                signals.live_database_failed.send(Hub, part="frames", error=e)
                # Whatever it was: whoever fetches the list has everything.
                for recipient in batch:
                    self._announce(recipient, None)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
                continue
            for (recipient, language), frame in told.items():
                for listener in self._listeners.get(recipient, ()):
                    if listener.language == language:
                        listener.put(frame)

    def _languages(self) -> dict[str, set[str]]:
        """Return the languages somebody listens in: language → recipients."""
        found: dict[str, set[str]] = {}
        for listener in self._everybody:
            found.setdefault(listener.language, set()).add(listener.recipient)
        return found

    def _take(self) -> dict[str, set[UUID] | None]:
        recipients = list(self._announced)[:BATCH]
        batch = {recipient: self._announced.pop(recipient) for recipient in recipients}
        if not self._announced:
            self._has_announced.clear()
        return batch

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            for listener in self._everybody:
                listener.beat()
