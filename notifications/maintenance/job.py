"""When a job of the clock is next due, and how much it takes on at once."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from django.db import OperationalError, connection, transaction

from notifications import signals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from notifications.maintenance.lookout import First

#: Rows one job touches in one go, and the least it shrinks to when the database is too slow for more.
MAX_BATCH = 500
MIN_BATCH = 5
#: Milliseconds a statement of the clock may take on PostgreSQL.
STATEMENT_TIMEOUT = 5000


class Run(Protocol):
    """One round of a job: at most `limit` rows of a kind; returns how many."""

    def __call__(self, now: datetime, limit: int) -> int: ...


@dataclass(slots=True, kw_only=True)
class Job:
    """A job and its pace."""

    name: str
    run: Run
    #: Seconds between two rounds.
    every: float
    #: What tells whether there is something to do; without, it is run every time.
    firsts: Sequence[First] = ()
    batch: int = MAX_BATCH
    _due: float = field(default=0.0, init=False)

    def tick(self, now: datetime, monotonic: float) -> None:
        """Run if due. A statement that took too long shrinks the batch tenfold; one that did not lets it grow back."""
        if monotonic < self._due:
            return
        self._due = monotonic + self.every
        try:
            with patience():
                number = self.run(now, self.batch)
        except OperationalError as e:
            self.batch = max(self.batch // 10, MIN_BATCH)
            signals.clock_failed.send(Job, job=self.name, error=e)
        except Exception as e:  # noqa: BLE001 - the edge: one job's error must not stop the clock
            signals.clock_failed.send(Job, job=self.name, error=e)
        else:
            if number >= self.batch:
                # There is more: go on at the next tick.
                self._due = monotonic
            self.batch = min(self.batch * 2, MAX_BATCH)


def patience() -> AbstractContextManager[None]:
    """End statements within that take too long, where the database can."""
    return _limited() if connection.vendor == "postgresql" else nullcontext()


@contextmanager
def _limited() -> Iterator[None]:
    """End statements that take too long; for this transaction only, because connections go back to a pool."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}")
        yield
