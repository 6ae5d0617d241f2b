"""The rows of a peer: the people in its tables, and what has to be there after a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from benchmarks import work
from benchmarks.contestant import Void

if TYPE_CHECKING:
    from typing import LiteralString

SCHEMA = Path(__file__).with_name("schema.sql")
CATEGORY = "orders"
PERSONAL, SHARED = "ORDER_CONFIRMED", "ORDER_CONFIRMED_TO_ALL"

FOUND = """SELECT
    (SELECT count(*) FROM notification),
    (SELECT count(*) FROM delivery),
    (SELECT count(*) FROM delivery WHERE state = 'sent'),
    (SELECT count(DISTINCT (notification, channel)) FROM delivery),
    (SELECT count(*) FROM notification WHERE body LIKE '%{{%' OR title LIKE '%{{%'),
    people, fewest, most
    FROM (SELECT count(*) AS people, coalesce(min(n), 0) AS fewest, coalesce(max(n), 0) AS most
          FROM (SELECT count(*) AS n FROM notification GROUP BY recipient) AS counted) AS totals"""
NAMES = ("notifications", "deliveries", "sent", "distinct deliveries", "unrendered", "recipients", "fewest", "most")


class Rows:
    """The database of one peer, through a connection that stays."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def fill(self, people: int) -> None:
        """Make the tables, two templates, and so many people: numbered from 1, e-mail on, text messages off."""
        run = self._connection.execute
        run(SCHEMA.read_bytes())
        for code, body in ((PERSONAL, work.BODY), (SHARED, work.SHARED_BODY)):
            template = "INSERT INTO template (code, category, subject, body) VALUES (%s, %s, %s, %s)"
            run(template, (code, CATEGORY, work.SUBJECT, body))
        run(
            "INSERT INTO person_settings SELECT n, 'Customer ' || n, 'u' || n || '@example.com', 'en', 'UTC' "
            "FROM generate_series(1, %s) AS n",
            (people,),
        )
        run(
            "INSERT INTO preference (person, category, channel, enabled) SELECT person, %s, channel, channel = 'email' "
            "FROM person_settings, unnest(ARRAY['email', 'sms']) AS channel ORDER BY person",
            (CATEGORY,),
        )
        run("VACUUM ANALYZE")

    def empty(self) -> None:
        self._connection.execute("TRUNCATE notification, delivery")
        self._connection.execute("CHECKPOINT")

    def begun(self) -> bool:
        return bool(self._ask("SELECT EXISTS (SELECT 1 FROM notification)")[0])

    def sent(self) -> int:
        return int(self._ask("SELECT count(*) FROM delivery WHERE state = 'sent'")[0])

    def check(self, count: int, people: int) -> None:
        """Raise `Void` unless `count` notifications, told in turn to so many people, are there once and all sent."""
        expected = expected_rows(count, people)
        found = dict(zip(NAMES, self._ask(FOUND), strict=True))
        if found != expected:
            raise Void(f"Expected {expected}, found {found}.")

    def _ask(self, sql: LiteralString) -> tuple[Any, ...]:
        found = self._connection.execute(sql).fetchone()
        assert found is not None
        return found


def expected_rows(count: int, people: int) -> dict[str, int]:
    """Return what has to be there when `count` notifications were told in turn to so many people."""
    fewest, rest = divmod(count, people)
    numbers = (count, 2 * count, 2 * count, 2 * count, 0)
    return dict(zip(NAMES, (*numbers, min(count, people), max(fewest, 1), fewest + bool(rest)), strict=True))
