"""The processes of a chaos run: each in a group of its own, and none outlives the run, however that ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent.parent

#: Of our own environment, what programs need to run; no URL of anybody's database among it.
PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "VIRTUAL_ENV")

#: Waits for the run to end, however it ends, and clears up what it left: the groups that have a file, and the folder.
GUARD = """
cat
for file in "$0"/*.group; do kill -s KILL -- "-$(basename "$file" .group)"; done
rm -rf "$0"
"""

#: Seconds a process gets between being asked to end and being ended.
GRACE = 30.0


class Process:
    """A Python program in a process group of its own, writing to a file."""

    def __init__(self, name: str, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        passed_on = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**passed_on, **environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._process.pid
        #: There while the group may be: its number may be somebody else's later.
        self._group = folder / f"{self.pid}.group"
        self._group.touch()

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs. Whoever it left behind ends with it."""
        code = self._process.poll()
        if code is not None:
            self._end_group()
        return code

    def said(self, words: str) -> bool:
        """Has it written these words?"""
        return words in self.log.read_text(encoding="utf-8", errors="replace")

    def last_words(self, characters: int = 1500) -> str:
        """Return the end of what it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-characters:]

    def ask_to_end(self) -> None:
        """SIGTERM, as a deployment sends it."""
        if self.code is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to end, wait, and return its code; what does not come is killed."""
        self.ask_to_end()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        return self.kill()

    def kill(self) -> int:
        """Take the whole group away without a word, as the kernel does when memory runs out; return its code."""
        self._end_group()
        return self._process.wait()

    def pause(self) -> None:
        """Let the whole group stand still, as a machine that is suspended."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal_group(signal.SIGCONT)

    def _end_group(self) -> None:
        self._signal_group(signal.SIGKILL)
        self._group.unlink(missing_ok=True)

    def _signal_group(self, how: signal.Signals) -> None:
        if self._group.exists():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, how)


class Household:
    """A folder and the processes that write to it; none of it is left when the `with` ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=temporary_folder()))
        self._everybody: list[Process] = []
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the run
        )

    def start(self, name: str, arguments: Sequence[str], *, environment: Mapping[str, str]) -> Process:
        """Start a program."""
        number = sum(process.name.startswith(f"{name}-") for process in self._everybody) + 1
        process = Process(f"{name}-{number}", arguments, environment=environment, folder=self.folder)
        self._everybody.append(process)
        return process

    def run(self, name: str, arguments: Sequence[str], *, environment: Mapping[str, str], limit: float) -> None:
        """Run a program to its end; raise with its last words if it fails or takes longer than `limit` seconds."""
        process = self.start(name, arguments, environment=environment)
        deadline = time.monotonic() + limit
        while process.code is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.code != 0:
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.code}:\n{process.last_words()}")

    def end_all(self) -> None:
        """Kill whoever still runs."""
        for process in self._everybody:
            process.kill()

    def logs(self) -> list[Path]:
        """Return what everybody wrote, file by file."""
        return [process.log for process in self._everybody]

    def __enter__(self) -> Household:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_all()
        shutil.rmtree(self.folder)
        assert self._guard.stdin
        self._guard.stdin.close()
        self._guard.wait()


def temporary_folder() -> str:
    """Return where folders are made: the path of a unix socket has room for some 100 characters."""
    temporary = tempfile.gettempdir()
    return temporary if len(temporary) < 70 else "/tmp"  # noqa: S108
