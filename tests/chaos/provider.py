"""
The provider: e-mail by SMTP, text messages by a unix socket. It writes every call down, and that log is the judge.

    python -m tests.chaos.provider FOLDER

A process of its own, so that no fault of ours reaches it. An acceptance is in the log before anybody is told of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

CALLS = "calls.jsonl"
READY = "provider.json"
SOCKET = "provider.sock"

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([0-9a-f]{32})@", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """
    How an address is answered: the n-th try of a delivery by the n-th of `answers`, all further ones by `then`.

    `accept`, a status (`451`, `550`, `429:3`), `hang` (never an answer), or `cut`: accepted, and the line goes dead.
    """

    answers: tuple[str, ...] = ()
    then: str = "accept"
    #: Seconds before an answer is given.
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A message that reached the provider. Times are `time.monotonic_ns`, which all processes of a machine share."""

    channel: str
    delivery: str
    address: str
    answer: str
    begun: int
    at: int
    wall: float

    @property
    def accepted(self) -> bool:
        return self.answer in {"accept", "cut"}


class Desk:
    """What both ways in have in common: the script, and the log."""

    def __init__(self, folder: Path) -> None:
        #: (channel, address or *) → behaviour
        self._script: dict[tuple[str, str], Behaviour] = {}
        self._tries: Counter[str] = Counter()
        self._log = os.open(folder / CALLS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def follow(self, script: dict[str, dict[str, dict[str, Any]]]) -> None:
        """Answer so from now on: channel → address or * → behaviour. What is not named stays."""
        for channel, addresses in script.items():
            for address, told in addresses.items():
                self._script[channel, address] = Behaviour(**told)

    async def take(self, channel: str, delivery: str, address: str, begun: int) -> str:
        """Decide on a message, write it down, and return the answer."""
        behaviour = self._script.get((channel, address)) or self._script.get((channel, "*")) or Behaviour()
        number = self._tries[delivery]
        self._tries[delivery] += 1
        answer = behaviour.answers[number] if number < len(behaviour.answers) else behaviour.then
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        call = Call(
            channel=channel,
            delivery=delivery,
            address=address,
            answer=answer,
            begun=begun,
            at=time.monotonic_ns(),
            wall=time.time(),
        )
        os.write(self._log, f"{json.dumps(asdict(call))}\n".encode())
        return answer


class Mailbox:
    """The handler of the SMTP server."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        session.begun = time.monotonic_ns()  # type: ignore[attr-defined]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        found = _MESSAGE_ID.search(content)
        delivery = found.group(1).decode() if found else ""
        answer = await self._desk.take("email", delivery, envelope.rcpt_tos[0], session.begun)  # type: ignore[attr-defined]
        if answer == "hang":
            await asyncio.Event().wait()
        if answer == "cut":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK" if answer == "accept" else f"{answer.partition(':')[0]} as told"


async def serve_texts(desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one line: a text message, or a new script."""
    begun = time.monotonic_ns()
    request = json.loads(await reader.readline() or "{}")
    answer = "accept"
    if "script" in request:
        desk.follow(request["script"])
    elif "text" in request:
        answer = await desk.take("sms", request["text"]["delivery"], request["text"]["address"], begun)
    if answer == "hang":
        await reader.read()
    elif answer != "cut":
        writer.write(f"{answer}\n".encode())
    writer.close()


async def serve(folder: Path) -> None:
    """Serve until the process is ended; the port of the SMTP server is in the file READY."""
    desk = Desk(folder)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SMTP(Mailbox(desk), hostname="localhost", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
    )
    await asyncio.start_unix_server(lambda *line: serve_texts(desk, *line), folder / SOCKET)
    ready = folder / f"{READY}.new"
    ready.write_text(json.dumps({"port": smtp.sockets[0].getsockname()[1]}), encoding="utf-8")
    ready.rename(folder / READY)
    await smtp.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
