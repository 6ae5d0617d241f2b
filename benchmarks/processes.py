"""Processes of a benchmark: started together, waited for, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contestant import Void

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

STOP_SECONDS = 30.0
POLL_SECONDS = 0.05


def finish(commands: Sequence[Sequence[str]], environment: Mapping[str, str], *, together: bool = False) -> list[str]:
    """
    Run commands side by side to their end; return what each printed; raise `Void` if one fails.

    `together`: each says a line when it is ready, and begins when it is told a line: no interpreter starts meanwhile.
    """
    processes = [
        subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for command in commands
    ]
    if together:
        _begin(processes)
    printed = [process.communicate()[0] for process in processes]
    for process in processes:
        if process.returncode:
            raise Void(f"{' '.join(map(str, process.args))} ended with {process.returncode}.")  # type: ignore[arg-type]
    return printed


def _begin(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        # One that has failed is found out by how it ended.
        with suppress(BrokenPipeError):
            process.stdin.write("go\n")
            process.stdin.flush()


@contextmanager
def running(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str], log: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep processes running, and stop them as an operator would. What they say is added to `log`."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("ab") as said:
            for command in commands:
                one = subprocess.Popen(command, env={**os.environ, **environment}, stdout=said, stderr=said)
                processes.append(one)
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process and those below it have taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    below = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + sum(map(cpu_seconds, map(int, below)))


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for a condition; raise `Void` after so long."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Void(f"After {seconds:g} s still not: {what}.")
        time.sleep(POLL_SECONDS)
