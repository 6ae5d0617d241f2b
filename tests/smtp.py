"""A real SMTP server on loopback that answers as it is told and keeps what it accepted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP


class Mailbox:
    """What the server does and keeps."""

    def __init__(self):
        #: (time.monotonic, address, answer) of every RCPT.
        self.tries: list = []
        #: Parsed messages, in the order they were accepted.
        self.messages: list = []
        #: Address → answers to its next RCPTs; when empty: accepted.
        self.answers = defaultdict(deque)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        answers = self.answers[address]
        answer = answers.popleft() if answers else "250 OK"
        self.tries.append((time.monotonic(), address, answer))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.content, policy=policy.default)
        message["X-Rcpt"] = ", ".join(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 OK"

    def told(self):
        """Return the addresses of the accepted messages, in order."""
        return [str(message["X-Rcpt"]) for message in self.messages]


class SmtpServer:
    """The server, in a thread of its own on a port the system chooses; a context manager."""

    def __init__(self):
        self.mailbox = Mailbox()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _listen(self):
        return await self._loop.create_server(lambda: SMTP(self.mailbox, enable_SMTPUTF8=True), "127.0.0.1", 0)

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self):
        self._server.close()
        await self._server.wait_closed()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    @property
    def url(self):
        """Return the address for EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"
