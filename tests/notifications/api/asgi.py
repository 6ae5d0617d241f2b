"""A browser that listens, without a server: the ASGI application is called as a server would call it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

PATH = "/api/notifications/stream/"
#: Seconds after which a test no longer waits.
PATIENCE = 10


def log_in(user):
    """Return the key of a new session of this user."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


async def in_thread(function, *arguments, **keywords):
    """Call what uses the database, in a thread that gives its connection back."""

    def call():
        try:
            return function(*arguments, **keywords)
        finally:
            connections.close_all()

    return await sync_to_async(call, thread_sensitive=False)()


def scope(*, path=PATH, token="", session_key="", method="GET", **changes):
    """Return what a server tells of a request."""
    cookie = [(b"cookie", f"other=1; {settings.SESSION_COOKIE_NAME}={session_key}".encode())] if session_key else []
    query = f"token={token}".encode() if token else b""
    return {"type": "http", "path": path, "method": method, "query_string": query, "headers": cookie, **changes}


@dataclass
class Browser:
    """What arrived, and the means to leave."""

    status: int = 0
    headers: dict = field(default_factory=dict)
    text: str = ""
    closed: bool = False
    #: Cleared, the browser reads no more.
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    leaves: asyncio.Event = field(default_factory=asyncio.Event)
    _read: int = 0

    async def receive(self):
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        self.text += message["body"].decode()
        self.closed = not message.get("more_body", False)

    @property
    def events(self):
        """Return all (event, data) so far."""
        blocks = [block for block in self.text.split("\n\n") if block.startswith("event: ")]
        lines = [block.split("\n") for block in blocks]
        return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in lines]

    def named(self, *names):
        return [(name, data) for name, data in self.events if name in names]

    async def next(self, *names):
        """Wait for the next event (of these names); return it."""
        return await self.until(lambda: self._advance(names))

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE):
            while not (result := condition()):
                await asyncio.sleep(0.005)
        return result

    def _advance(self, names):
        for index, (name, data) in list(enumerate(self.events))[self._read :]:
            if not names or name in names:
                self._read = index + 1
                return name, data
        return None


@asynccontextmanager
async def opened(application, **request):
    """Open a stream for the length of the block."""
    browser = Browser()
    browser.reads.set()
    task = asyncio.create_task(application(scope(**request), browser.receive, browser.send))
    try:
        yield browser
    finally:
        browser.leaves.set()
        async with asyncio.timeout(PATIENCE):
            await task
