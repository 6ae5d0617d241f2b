"""The adapters of a chaos run: they call the provider of the suite, and end their process where they are told to."""

from __future__ import annotations

import json
import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from notifications.channels.base import ChannelAdapter
from notifications.channels.email import EmailChannel
from notifications.exceptions import AmbiguousError, DeliveryError, MisconfiguredError, PermanentError, TransientError
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifications.values import Message

#: Addresses at which processes end, by when: written by the scenario before the workers start.
DOOM_FILE = "doom.json"
SOCKET = "provider.sock"


class Doom:
    """Ends this process at some addresses: always before the call, or once after the provider accepted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        told = json.loads((folder / DOOM_FILE).read_text(encoding="utf-8"))
        self._before = frozenset(told["before"])
        self._after = frozenset(told["after"])

    def before(self, message: Message) -> None:
        if message.address in self._before:
            self._note("before", message, once=False)
            os._exit(9)

    def after(self, message: Message) -> None:
        if message.address in self._after and self._note("after", message, once=True):
            os._exit(9)

    def _note(self, when: str, message: Message, *, once: bool) -> bool:
        """Leave a file that counts the ends, a byte each; False: there was one already, and once is enough."""
        path = self._folder / f"doom-{when}-{message.delivery_id.hex}"
        if once and path.exists():
            return False
        with path.open("ab") as file:
            file.write(b"x")
        return True


class Mail(EmailChannel):
    """E-mail as in production."""

    def __init__(self, from_email: str, folder: str) -> None:
        super().__init__(from_email=from_email)
        self._doom = Doom(Path(folder))

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        results = super().send_batch(messages)
        for message in messages:
            self._doom.before(message)
            result = next(results)
            if isinstance(result, Receipt):
                self._doom.after(message)
            yield result


class Text(ChannelAdapter):
    """Text messages, at most once each, by a line of JSON to the provider's unix socket."""

    at_most_once = True
    send_timeout = timedelta(seconds=2)

    def __init__(self, folder: str) -> None:
        self._path = str(Path(folder) / SOCKET)
        self._doom = Doom(Path(folder))

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        for message in messages:
            self._doom.before(message)
            try:
                self._send(message)
            except DeliveryError as e:
                yield e
            else:
                self._doom.after(message)
                yield Receipt(backend=self.name, provider_message_id=message.delivery_id.hex)

    def _send(self, message: Message) -> None:
        request = {"text": {"delivery": message.delivery_id.hex, "address": message.address}}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(self.send_timeout.total_seconds())
            try:
                line.connect(self._path)
            except OSError as e:
                raise TransientError(code=type(e).__name__) from e
            try:
                line.sendall(f"{json.dumps(request)}\n".encode())
                answer = line.makefile().readline().strip()
            except OSError as e:
                raise AmbiguousError(code=type(e).__name__) from e
        _raise_unless_accepted(answer)


def _raise_unless_accepted(answer: str) -> None:
    """The provider's words: `accept`, a status, or a status and the seconds to wait (429:3)."""
    status, _, seconds = answer.partition(":")
    if status == "accept":
        return
    if not status:
        raise AmbiguousError(code="no_answer")
    if status == "401":
        raise MisconfiguredError(code=status)
    if status.startswith("55") or status == "400":
        raise PermanentError(code=status)
    raise TransientError(code=status, retry_after=timedelta(seconds=float(seconds)) if seconds else None)
