"""What is published, heard in the event loop: from the process itself, or from Redis by one connection per process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications import conf, realtime, signals

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    Heard = Callable[[str, UUID | None], None]
    Confirmed = Callable[[str], None]

#: Seconds of silence after which Redis is asked whether it is there; after as many again it is taken for lost.
PATIENCE = 5.0
#: Seconds before a lost connection is tried again.
PAUSE_AFTER_FAILURE = 1.0
#: Channels in one command.
CHUNK = 500


class Reader(Protocol):
    """Hears for recipients, from `start()` to `stop()`."""

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def want(self, recipient: str) -> bool:
        """Hear for a recipient; return whether that is so already, else `confirmed` is called when it is so (anew)."""

    def leave(self, recipient: str) -> None:
        """Hear no more for a recipient."""


def reader(heard: Heard, confirmed: Confirmed) -> Reader:
    """Return the reader for the settings in force, of the running loop."""
    url = conf.current().realtime_url
    return RedisReader(url, heard, confirmed) if url else LocalReader(heard)


class LocalReader:
    """Hears what is published in this process, by whichever thread."""

    def __init__(self, heard: Heard) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard = heard
        #: Read by other threads: most of what is published is for nobody here, and costs one look.
        self._wanted: set[str] = set()

    def start(self) -> None:
        realtime.subscribe(self._hear)

    def stop(self) -> None:
        realtime.unsubscribe(self._hear)

    def want(self, recipient: str) -> bool:
        self._wanted.add(recipient)
        return True

    def leave(self, recipient: str) -> None:
        self._wanted.discard(recipient)

    def _hear(self, recipient: str, notification_id: UUID | None) -> None:
        if recipient not in self._wanted:
            return
        try:
            self._loop.call_soon_threadsafe(self._heard, recipient, notification_id)
        except RuntimeError:
            # The loop was closed between two lines of its end: nobody listens any more.
            realtime.unsubscribe(self._hear)


class RedisReader:
    """Subscribes to the channels of the wanted recipients, and to all of them again after a lost connection."""

    def __init__(self, url: str, heard: Heard, confirmed: Confirmed) -> None:
        self._client = redis.asyncio.Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._prefix = realtime.channel_prefix(self._client.connection_pool.connection_kwargs.get("db", 0))
        self._heard = heard
        self._confirmed = confirmed
        self._wanted: set[str] = set()
        #: What this connection was asked for, and of that, what Redis has confirmed.
        self._asked: set[str] = set()
        self._certain: set[str] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def want(self, recipient: str) -> bool:
        self._wanted.add(recipient)
        self._changed.set()
        return recipient in self._certain

    def leave(self, recipient: str) -> None:
        self._wanted.discard(recipient)
        self._changed.set()

    async def _run(self) -> None:
        """Listen, for ever; say once that the connection is lost, and go on trying."""
        is_lost = False
        try:
            while True:
                try:
                    await self._listen()
                except Exception as e:  # noqa: BLE001 - the edge: whatever the client raises, the streams stay open
                    # A connection that had confirmed something was there in between.
                    if not is_lost or self._certain:
                        signals.live_reader_lost.send(RedisReader, error=_cause(e))
                    is_lost = True
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
        finally:
            await self._client.aclose()

    async def _listen(self) -> None:
        self._asked, self._certain = set(), set()
        self._changed.set()
        subscription: Any = self._client.pubsub()
        try:
            await subscription.connect()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(subscription))
                group.create_task(self._hear(subscription))
        finally:
            await subscription.aclose()

    async def _ask(self, subscription: Any) -> None:
        """Bring what Redis was asked for to what is wanted, however much that has changed meanwhile."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            new, old = list(self._wanted - self._asked), list(self._asked - self._wanted)
            self._asked = set(self._wanted)
            self._certain.difference_update(old)
            for command, recipients in ((subscription.unsubscribe, old), (subscription.subscribe, new)):
                for start in range(0, len(recipients), CHUNK):
                    await command(*(self._prefix + one for one in recipients[start : start + CHUNK]))

    async def _hear(self, subscription: Any) -> None:
        is_asked = False
        while True:
            message = await subscription.get_message(timeout=PATIENCE)
            if message is not None:
                is_asked = False
                self._take(message)
            elif is_asked:
                raise redis.TimeoutError
            else:
                is_asked = True
                await subscription.ping()

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] not in {"subscribe", "message"}:
            return
        recipient = message["channel"].decode().removeprefix(self._prefix)
        if message["type"] == "message":
            self._heard(recipient, realtime.decode(message["data"]))
        elif recipient in self._asked:
            self._certain.add(recipient)
            self._confirmed(recipient)


def _cause(error: Exception) -> BaseException:
    """Return what went wrong, out of the group that tasks raise."""
    return error.exceptions[0] if isinstance(error, ExceptionGroup) else error
