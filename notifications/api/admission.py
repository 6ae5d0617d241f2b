"""Who may listen, and go on listening: every session is looked up when its stream opens and every few seconds after."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from django.db import connections

from notifications import clock, signals
from notifications.services import sessions
from notifications.services.sessions import Login

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from concurrent.futures import Executor

    from notifications.api.listener import Listener

#: Seconds between two looks at all sessions: a stream ends so soon after the logout.
INTERVAL = 20.0
#: Seconds before the database is asked again, if it did not answer.
PAUSE_AFTER_FAILURE = 1.0


class Admission:
    """Lets listeners in whose sessions stand, and sends those away whose sessions do so no more; many at a time."""

    def __init__(self, executor: Executor, admit: Callable[[Listener], None]) -> None:
        self._executor = executor
        self._admit = admit
        self._newcomers: set[Listener] = set()
        self._admitted: set[Listener] = set()
        self._arrived = asyncio.Event()

    def add(self, listener: Listener) -> None:
        """Have a listener looked at as soon as may be."""
        self._newcomers.add(listener)
        self._arrived.set()

    def discard(self, listener: Listener) -> None:
        """Forget a listener."""
        self._newcomers.discard(listener)
        self._admitted.discard(listener)

    async def run(self) -> None:
        """Look at newcomers at once and at everybody every `INTERVAL`, for ever."""
        loop = asyncio.get_running_loop()
        due = loop.time() + INTERVAL
        while True:
            await self._wait_until(due)
            self._arrived.clear()
            is_round = loop.time() >= due
            if not await self._look_at([*self._newcomers, *(self._admitted if is_round else ())]):
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
                self._arrived.set()
            elif is_round:
                due = loop.time() + INTERVAL

    async def _wait_until(self, due: float) -> None:
        try:
            async with asyncio.timeout_at(due):
                await self._arrived.wait()
        except TimeoutError:
            return

    async def _look_at(self, listeners: Collection[Listener]) -> bool:
        """Let in and send away; return False if the database did not say whom. Nobody is sent away for that."""
        logins = {one: Login(session_key=one.session_key, user=one.recipient) for one in listeners}
        try:
            standing = await asyncio.get_running_loop().run_in_executor(self._executor, _standing, logins.values())
        except Exception as e:  # noqa: BLE001 - the edge: the streams outlive the database's trouble
            signals.live_database_failed.send(Admission, part="sessions", error=e)
            return False
        for listener in listeners:
            if logins[listener] not in standing:
                listener.end("logged_out")
            elif listener in self._newcomers:
                self._newcomers.discard(listener)
                self._admitted.add(listener)
                self._admit(listener)
        return True


def _standing(logins: Iterable[Login]) -> set[Login]:
    try:
        return sessions.still_standing(logins, now=clock.now())
    finally:
        connections.close_all()
