"""
How much memory a worker takes, by the number of recipients of one broadcast.

    python -m tests.services --durable -- python -m benchmarks.worker_memory [RECIPIENTS …]

For each number a worker process of its own, as production runs it, dispatches and delivers a broadcast; what counts is the
peak resident set of its processes, as the kernel kept it. Linux only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks import producer
from benchmarks.ours import OPEN, Ours
from benchmarks.processes import running, wait_until

DEFAULT = (100, 1_000, 100_000, 1_000_000)
#: Seconds for a thousand recipients, at least a minute.
PATIENCE = 5.0
KILO = 1024


class OneWorker(Ours):
    workers = 1

    def memory(self, people: int) -> float:
        """Tell so many people; return the megabytes the worker's processes took at most, together."""
        self.empty()
        with running(self._worker(), self._environment, self._log) as (worker,):
            self._until_ready()
            self._produce(["batch", people, producer.PERSONAL])
            patience = max(60.0, people * PATIENCE / 1000)
            wait_until(lambda: not self._ask(OPEN), seconds=patience, what="everything settled")
            return sum(peak(pid) for pid in family(worker.pid))


def measure(database_url: str, redis_url: str, sizes: list[int]) -> dict[int, float]:
    """Return the peak in megabytes for each number of recipients."""
    with tempfile.TemporaryDirectory() as folder:
        ours = OneWorker(database_url=database_url, redis_url=redis_url, folder=Path(folder))
        ours.prepare(max(sizes))
        print(f"\n{'recipients':>12} {'worker, MB':>12}")
        found = {}
        for size in sizes:
            found[size] = round(ours.memory(size), 1)
            print(f"{size:>12,} {found[size]:>12.1f}", flush=True)
        return found


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)]
    return [pid, *(one for child in children for one in family(child))]


def peak(pid: int) -> float:
    """Return the largest resident set of a process, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / KILO for line in lines if line.startswith("VmHWM"))


def _children(task: Path) -> list[str]:
    return (task / "children").read_text(encoding="ascii").split()


if __name__ == "__main__":
    measure(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], [int(size) for size in sys.argv[1:]] or list(DEFAULT))
