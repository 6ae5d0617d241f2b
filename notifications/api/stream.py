"""
Live updates as server-sent events: an ASGI application before Django's.

Below Django, because a request that Django handles keeps a thread and its database connection until it ends, and a
stream does not end. Every answer has the status 200: with any other, an EventSource gives up for good.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import parse_cookie

from notifications.api import stream_token
from notifications.api.hub import Hub
from notifications.api.listener import Listener, bye

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Scope = dict[str, Any]
    Message = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/api/notifications/stream"
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Cookie"),
    # nginx gathers what it passes on, unless told otherwise.
    (b"x-accel-buffering", b"no"),
]
#: Browsers that lost the stream come back after this many milliseconds, and after so many if there was no room.
RETRY, RETRY_LATER = 3_000, 30_000
#: Seconds a browser may take to read before its stream is given up.
STALLED = 30.0
#: Seconds a stream that was ended may take to say good-bye.
FAREWELL = 1.0


class NotificationStreams:
    """Answers for the stream's address, and hands everything else on to the application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _path(scope) != PATH:
            await self._application(scope, receive, send)
        elif scope["method"] != "GET":
            headers = [(b"allow", b"GET"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 405, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._stream(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        session_key = _session_key(scope)
        granted = stream_token.check(_token(scope), session_key)
        if granted is None:
            await _refuse(send, "token")
            return
        # Made here, because it belongs to the server's loop.
        hub = self._hub = self._hub or Hub()
        listener = hub.open(granted, session_key)
        if isinstance(listener, str):
            await _refuse(send, listener)
            return
        try:
            await _serve(listener, receive, send)
        finally:
            hub.close(listener)


async def _refuse(send: Send, reason: str) -> None:
    retry = RETRY_LATER if reason == "full" else RETRY
    await send(_body(b"retry: %d\n\n" % retry + bye(reason), more=False))


async def _serve(listener: Listener, receive: Receive, send: Send) -> None:
    """Send what comes until the browser leaves, reads no more, or the stream is ended."""
    writing = asyncio.ensure_future(_write(listener, send))
    leaving = asyncio.ensure_future(_left(receive))
    ending = asyncio.ensure_future(listener.ended.wait())
    try:
        await asyncio.wait({writing, leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not leaving.done():
            await asyncio.wait({writing, leaving}, timeout=FAREWELL, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (writing, leaving, ending):
            task.cancel()
        await asyncio.gather(writing, leaving, ending, return_exceptions=True)
    if not writing.cancelled():
        writing.result()


async def _write(listener: Listener, send: Send) -> None:
    await send(_body(b"retry: %d\n\n" % RETRY, more=True))
    async for chunk in listener.frames():
        try:
            async with asyncio.timeout(STALLED):
                await send(_body(chunk, more=True))
        except (TimeoutError, OSError):
            # Nobody reads, or the connection broke: the server has it, and closes it.
            return
    await send(_body(b"", more=False))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).removesuffix("/")


def _token(scope: Scope) -> str:
    query: str = scope["query_string"].decode("latin-1")
    return parse_qs(query).get("token", [""])[0]


def _session_key(scope: Scope) -> str:
    """Return the session's key as the browser sends it; empty: none."""
    header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    key: str = parse_cookie(header.decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")
    return key
