"""A provider that sends nothing and remembers everything: for tests, demos and dry environments."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from notifications import clock
from notifications.channels.base import ChannelAdapter
from notifications.exceptions import PermanentError, TransientError
from notifications.types import Reason
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from notifications.values import Message

#: What is kept in memory.
KEPT = 10_000

_lock = threading.Lock()
_failures: dict[str, deque[str]] = {}
sent: deque[Message] = deque(maxlen=KEPT)


class FakeChannel(ChannelAdapter):
    """
    Accept every message and keep it in `sent`.

    `path`: also append each as a line of JSON to this file, for readers in other processes.
    `failures`: address → what its next tries end with, in order: "transient", "permanent", or "sent".
    """

    at_most_once = True

    def __init__(self, path: str = "", failures: Mapping[str, list[str]] | None = None) -> None:
        self._path = Path(path) if path else None
        for address, outcomes in (failures or {}).items():
            _failures[address] = deque(outcomes)

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        for message in messages:
            with _lock:
                outcomes = _failures.get(message.address)
                outcome = outcomes.popleft() if outcomes else "sent"
                if outcome == "sent" and message.address:
                    self._keep(message)
            if not message.address:
                yield PermanentError("There is no address.", code="no_address", reason=Reason.NO_ADDRESS)
            elif outcome == "transient":
                yield TransientError("The fake provider was told to fail.", code="fake_transient")
            elif outcome == "permanent":
                yield PermanentError("The fake provider was told to refuse.", code="fake_permanent")
            else:
                yield Receipt(backend=self.name, provider_message_id=message.delivery_id.hex)

    def _keep(self, message: Message) -> None:
        sent.append(message)
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            line = json.dumps({"at": clock.now().isoformat(), **asdict(message)}, default=str, ensure_ascii=False)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


def forget() -> None:
    """Empty what was kept and what was scripted."""
    with _lock:
        sent.clear()
        _failures.clear()
