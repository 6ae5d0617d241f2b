"""
What an inbox costs among millions of notifications: SQL time, rows and pages read, by our own services.

Over the database of DATABASE_URL, after `benchmarks.old_rows`. Asked of readers at random, and of the one with a large
inbox; what marks is rolled back.
"""

from __future__ import annotations

import json
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from benchmarks.old_rows import BIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READERS, REPEATS, MARKS = 1000, 200, 10
PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What was asked so many times: milliseconds of SQL, round trips included; and what the database read for one."""

    asked: int
    p50: float
    p99: float
    #: Without those of transactions.
    statements: int
    rows: int
    #: Of 8 kB, whether they were in memory or not.
    pages: int


@dataclass(slots=True)
class Watch:
    """Keeps the statements that go by, and the seconds they took."""

    seconds: float = 0.0
    statements: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - began
            if sql.split(None, 1)[0] in {"SELECT", "UPDATE"}:
                self.statements.append((sql, params))


def measure() -> dict[str, Cost]:
    """Return what each thing costs that is asked of an inbox. Django is set up."""
    from notifications import clock, ids
    from notifications.api import pagination
    from notifications.services import inbox
    from notifications.services.counts import counts

    def page(user: Any, cursor: str | None = None) -> str | None:
        return pagination.page(inbox.matching(user, inbox.Filter()), size=pagination.PAGE_SIZE, cursor=cursor)[1]

    def mark(mark_as: str) -> Callable[[Any], int]:
        def marked(user: Any) -> int:
            items = inbox.up_to(inbox.matching(user, inbox.Filter()), ids.uuid7())
            return inbox.mark(items, mark_as, now=clock.now())

        return marked

    readers, large = people()
    some = random.choices(readers, k=READERS)  # noqa: S311 - not a secret
    often, seldom = [large] * REPEATS, [large] * MARKS
    cursor = None
    for _ in range(PAGE - 1):
        cursor = page(large, cursor)
    asked: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
        "first page": (page, some),
        "first page, large inbox": (page, often),
        f"page {PAGE}, large inbox": (lambda user: page(user, cursor), often),
        "counts": (counts, some),
        "counts, large inbox": (counts, often),
        "mark all as read": (mark("read"), some[:REPEATS]),
        "mark all as seen, large inbox": (mark("seen"), seldom),
        "mark all as read, large inbox": (mark("read"), seldom),
        "archive all, large inbox": (mark("archived"), seldom),
    }
    return {name: cost(ask, users) for name, (ask, users) in asked.items()}


def people() -> tuple[list[Any], Any]:
    """Return readers, and the one with a large inbox."""
    from django.contrib.auth.models import User

    readers = User.objects.filter(username__startswith="reader-").exclude(username=BIG)
    return list(readers.only("pk")), User.objects.only("pk").get(username=BIG)


def cost(ask: Callable[[Any], Any], users: list[Any]) -> Cost:
    """Ask for each of the users, then look what the database does for the first."""
    watches = []
    for user in users:
        watch = Watch()
        with _rolled_back(), connection.execute_wrapper(watch):
            ask(user)
        watches.append(watch)
    with _rolled_back():
        read = [_read(*statement) for statement in watches[0].statements]
    taken = [watch.seconds * 1000 for watch in watches]
    return Cost(
        asked=len(users),
        p50=round(median(taken), 2),
        p99=round(quantiles(taken, n=100, method="inclusive")[98], 2),
        statements=len(read),
        rows=sum(rows for rows, _ in read),
        pages=sum(pages for _, pages in read),
    )


@contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _read(sql: str, params: Any) -> tuple[int, int]:
    """Run a statement; return the rows and the pages that were read for it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return _rows(plan), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def _rows(node: dict[str, Any]) -> int:
    own = 0
    # Of the two halves of a bitmap scan, the one that reads the table.
    if "Scan" in node["Node Type"] and node["Node Type"] not in {"Bitmap Index Scan", "Subquery Scan"}:
        own = round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    return own + sum(_rows(part) for part in node.get("Plans", []))
