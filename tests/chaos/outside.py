"""The world outside as a scenario sees it: the provider and the publishers, each a process that keeps its own list."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from tests.chaos import publications
from tests.chaos.provider import CALLS, READY, SOCKET, Behaviour, Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.chaos.processes import Household, Process
    from tests.chaos.publications import Accepted, Publication, Refused

START_LIMIT = 30.0


class Provider:
    """The provider's process, its script and its log."""

    def __init__(self, household: Household) -> None:
        self._folder = household.folder
        self._calls: list[Call] = []
        self._read = 0
        self._process = household.start("provider", ["-m", "tests.chaos.provider", str(self._folder)], environment={})

    def url(self) -> str:
        """Return the address for EMAIL_URL, as soon as there is one."""
        ready = self._folder / READY
        deadline = time.monotonic() + START_LIMIT
        while not ready.exists():
            if self._process.code is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The provider does not start:\n{self._process.last_words()}")
            time.sleep(0.01)
        return f"smtp://127.0.0.1:{json.loads(ready.read_text(encoding='utf-8'))['port']}"

    def script(self, channel: str, behaviour: Behaviour, *, addresses: Iterable[str] = ("*",)) -> None:
        """Have these addresses answered so from now on."""
        told = {channel: {address: asdict(behaviour) for address in addresses}}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(START_LIMIT)
            line.connect(str(self._folder / SOCKET))
            line.sendall(f"{json.dumps({'script': told})}\n".encode())
            if line.makefile().readline() != "accept\n":
                raise RuntimeError(f"The provider did not take the script:\n{self._process.last_words()}")

    def calls(self) -> list[Call]:
        """Return every call so far."""
        path = self._folder / CALLS
        if path.exists():
            with path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            self._calls += [Call(**json.loads(line)) for line in whole.splitlines()]
        return self._calls

    def accepted(self, channel: str = "") -> int:
        """Return how many messages it accepted so far."""
        return sum(call.accepted and channel in {"", call.channel} for call in self.calls())


class Publishing:
    """A publisher at work, or one that has ended."""

    def __init__(
        self,
        publishing: Iterable[Publication],
        *,
        name: str,
        household: Household,
        environment: Mapping[str, str],
        options: Iterable[str],
    ) -> None:
        plan = household.folder / f"{name}.plan.jsonl"
        self._results = household.folder / f"{name}.results.jsonl"
        publications.write_plan(plan, publishing)
        arguments = ["-m", "tests.chaos.publisher", str(plan), str(self._results), *options]
        self.process: Process = household.start(name, arguments, environment=environment)

    @property
    def over(self) -> bool:
        """Has it published all it was told to?"""
        if self.process.code:
            raise RuntimeError(f"The publisher failed:\n{self.process.last_words()}")
        return self.process.code == 0

    def accepted(self) -> list[Accepted]:
        """Return what was committed so far."""
        return publications.read_results(self._results)[0]

    def refused(self) -> list[Refused]:
        """Return what raised so far."""
        return publications.read_results(self._results)[1]
