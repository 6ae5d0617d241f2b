"""The workers of a run: as many as were asked for, whatever ends them, as a service manager would have it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from tests.chaos.processes import Household, Process

THREADS = 8
#: Drains of one channel in one process: what may be on its way to a provider when the process is killed.
DRAINS = 3

RUNDRAMATIQ = ["manage.py", "rundramatiq", "-p", "1", "-t", str(THREADS)]
READY = "is ready for action"
#: More than that do not end because of a fault of ours.
MOST_ENDED = 40


class Crew:
    """Worker processes that are started again when they end by themselves."""

    def __init__(
        self,
        household: Household,
        environment: Mapping[str, str],
        arguments: Sequence[str] = RUNDRAMATIQ,
        *,
        ready: str = READY,
    ) -> None:
        #: What one of them writes when it is at work.
        self._ready = ready
        self._household = household
        self._environment = environment
        self._arguments = arguments
        self._workers: list[Process] = []
        #: Codes of those that ended without having been told to.
        self.ended: list[int] = []

    @property
    def workers(self) -> list[Process]:
        return list(self._workers)

    @property
    def ready(self) -> bool:
        """Are all of them at work?"""
        return all(worker.said(self._ready) for worker in self._workers)

    def start(self, number: int = 1) -> None:
        """Start more of them."""
        for _ in range(number):
            self._workers.append(self._household.start("worker", self._arguments, environment=self._environment))

    def tend(self) -> None:
        """Replace those that ended by themselves."""
        for worker in self.workers:
            if worker.code is not None:
                self._workers.remove(worker)
                self.ended.append(worker.code)
                if len(self.ended) > MOST_ENDED:
                    raise RuntimeError(f"Workers end all the time:\n{worker.last_words()}")
                self.start()

    def kill_one(self, random: Random) -> None:
        """Kill -9 one of them, with everything in its hands, and start another."""
        victim = random.choice([worker for worker in self._workers if worker.said(self._ready)] or self._workers)
        self._workers.remove(victim)
        victim.kill()
        self.start()

    def replace(self, worker: Process) -> int:
        """Start another, then stop this one as a deployment does; return its code."""
        self._workers.remove(worker)
        self.start()
        return worker.stop()

    def faults(self) -> int:
        """Return how many ended by themselves, other than by the signal of a stop."""
        return sum(code not in {0, -signal.SIGTERM} for code in self.ended)
