"""
What months of old rows cost: the same work in empty tables and among them, in turn; and what more worker processes bring.

A part of `python -m benchmarks.full`, which loads the old rows.
"""

from __future__ import annotations

import statistics
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import redis

from benchmarks.ours import Ours
from notifications import ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.contestant import Run

SINGLES, PEOPLE = 5_000, 20_000
PAIRS = 3
PROCESSES = (1, 2, 4)
#: As `ours.OPEN`, less what is put off for longer than a run takes: among old rows there always is.
OPEN = """SELECT EXISTS (SELECT 1 FROM notifications_event WHERE state = 'pending' AND due_at < now() + interval '1 hour')
    OR EXISTS (SELECT 1 FROM notifications_event WHERE state = 'dispatching')
    OR EXISTS (SELECT 1 FROM notifications_delivery
        WHERE state = 'pending' AND digest_id IS NULL AND due_at < now() + interval '1 hour')
    OR EXISTS (SELECT 1 FROM notifications_delivery WHERE state = 'sending')"""

WORKS: dict[str, Callable[[Ours], Run]] = {
    "single, drain": lambda ours: ours.single_drain(SINGLES),
    "batch, personalised": lambda ours: ours.batch(PEOPLE, shared=False),
}


class AmongOldRows(Ours):
    """Ours in a database that has been there for months: what is in it stays, and only what is newer counts."""

    still_open = OPEN

    def prepare(self, people: int) -> None:
        self._environment["DATABASE_URL"] = self.database_url
        self._produce(["prepare", people])

    def empty(self) -> None:
        self._since = ids.uuid7_at(datetime.now(UTC))
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        redis.Redis.from_url(self.redis_url).flushdb()


def measure(database_url: str, redis_url: str, folder: Path) -> dict[str, Any]:
    """Return work → rates of both in turn and their ratio; and the rates of one, two and four processes."""
    fresh = Ours(database_url=database_url, redis_url=redis_url, folder=folder)
    grown = AmongOldRows(database_url=database_url, redis_url=redis_url, folder=folder)
    for contestant in (fresh, grown):
        contestant.prepare(PEOPLE)
    found: dict[str, Any] = {}
    for name, work in WORKS.items():
        pairs = [(work(fresh).rate, work(grown).rate) for _ in range(PAIRS)]
        ratio = statistics.median(old / new for new, old in pairs)
        found[name] = {
            "empty": [round(new) for new, _ in pairs],
            "old rows": [round(old) for _, old in pairs],
            "ratio": round(ratio, 2),
        }
        print(f"{name:24} {found[name]}", flush=True)
    found["processes"] = {}
    for number in PROCESSES:
        fresh.workers = number
        rates = {name: round(work(fresh).rate) for name, work in WORKS.items()}
        found["processes"][str(number)] = rates
        print(f"{number} processes: {rates}", flush=True)
    return found
