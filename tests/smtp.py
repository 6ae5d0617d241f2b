"""A real SMTP server on loopback that answers as it is told and keeps what it accepted."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import warnings
from collections import defaultdict, deque
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

# What the server logs is not ours to answer for: tests look for addresses in our log.
logging.getLogger("mail.log").disabled = True

#: An answer that is none: the connection ends.
DROP = "drop"


class Mailbox:
    """What the server does and keeps."""

    def __init__(self):
        #: (time.monotonic, address, answer) of every RCPT.
        self.tries: list = []
        #: Parsed messages, in the order they were accepted.
        self.messages: list = []
        #: Address → answers to its next RCPTs; when empty: accepted.
        self.answers = defaultdict(deque)
        #: Command → answers to the next ones of it (EHLO, MAIL, NOOP, DATA: after the message); when empty: 250.
        self.replies = defaultdict(deque)
        #: Peer of the connection of every message that was begun, and the commands it came by.
        self.peers: list = []
        self.commands: list = []

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 - aiosmtpd's name
        session.host_name = hostname
        reply = self._reply("EHLO", server)
        return responses if reply.startswith("250") else [reply]

    async def handle_NOOP(self, server, session, envelope, arg):  # noqa: N802 - aiosmtpd's name
        return self._reply("NOOP", server)

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        self.peers.append(session.peer)
        reply = self._reply("MAIL", server)
        if reply.startswith("250"):
            envelope.mail_from = address
        return reply

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        answers = self.answers[address]
        answer = answers.popleft() if answers else "250 OK"
        self.tries.append((time.monotonic(), address, answer))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        reply = self._reply("DATA", server)
        if reply.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            message["X-Rcpt"] = ", ".join(envelope.rcpt_tos)
            self.messages.append(message)
        return reply

    def told(self):
        """Return the addresses of the accepted messages, in order."""
        return [str(message["X-Rcpt"]) for message in self.messages]

    def _reply(self, command, server):
        self.commands.append(command)
        replies = self.replies[command]
        reply = replies.popleft() if replies else "250 OK"
        if reply == DROP:
            server.transport.abort()
        return reply


class SmtpServer:
    """
    The server, in a thread of its own on a port the system chooses; a context manager.

    `tls`: an ssl.SSLContext; it is offered by STARTTLS, or with `implicit` spoken from the beginning. `login`: user and
    password that are asked for.
    """

    def __init__(self, *, tls=None, implicit=False, login=None):
        self.mailbox = Mailbox()
        self.port = 0
        self._tls, self._implicit, self._login = tls, implicit, login
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _listen(self):
        return await self._loop.create_server(self._session, "127.0.0.1", 0, ssl=self._tls if self._implicit else None)

    def _session(self):
        options: dict[str, Any] = {"enable_SMTPUTF8": True, "loop": self._loop}
        if self._tls and not self._implicit:
            options |= {"tls_context": self._tls, "require_starttls": True}
        if self._login:
            options |= {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": False}
        with warnings.catch_warnings():
            # A login without TLS, which it would be warned of, goes over loopback.
            warnings.simplefilter("ignore")
            return SMTP(self.mailbox, **options)

    def _authenticate(self, server, session, envelope, mechanism, data):
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, handled=False)

    def leave(self):
        """Listen no more: who comes is refused."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)

    def __exit__(self, *_):
        self.leave()
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
