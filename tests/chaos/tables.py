"""What our own tables say, read without our own code: PostgreSQL and SQLite."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg

EVENTS_OVER = {"dispatched", "cancelled", "expired", "failed"}
DELIVERIES_OPEN = {"pending", "sending"}

OPEN = """
SELECT (SELECT count(*) FROM notifications_event WHERE state IN ('pending', 'dispatching'))
       + (SELECT count(*) FROM notifications_broadcast WHERE state IN ('pending', 'expanding')),
       (SELECT count(*) FROM notifications_delivery WHERE state IN ('pending', 'sending'))
"""
EVENTS = "SELECT id, state, planned_count, last_error FROM notifications_event"
DELIVERIES = "SELECT id, event_id, channel, address, state, reason, attempts, claims FROM notifications_delivery"
SENT_TRIES = "SELECT delivery_id, count(*) FROM notifications_attempt WHERE outcome = 'sent' GROUP BY delivery_id"
INBOX = "SELECT event_id, recipient_id FROM notifications_notification WHERE listed_at IS NOT NULL"
INBOX_SECONDS = """
SELECT e.id, extract(epoch FROM n.listed_at - e.created_at)
FROM notifications_notification n JOIN notifications_event e ON e.id = n.event_id WHERE n.listed_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    id: str
    state: str
    planned_count: int
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    id: str
    event_id: str
    channel: str
    address: str
    state: str
    reason: str
    attempts: int
    claims: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Everything there is, at one moment."""

    events: list[EventRow]
    deliveries: list[DeliveryRow]
    #: Delivery → how many attempts say that it was sent.
    sent_tries: dict[str, int]
    #: (event, recipient) of every inbox item, as often as there is one.
    inbox: Counter[tuple[str, int]]


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Run a SELECT on a connection of its own. Ids come as 32 hexadecimal digits."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(url).path, timeout=20)) as database:
            # Constraints that Django wrote use its functions; `PRAGMA integrity_check` looks at them.
            database.create_function("REGEXP", 2, lambda pattern, text: bool(re.search(pattern, str(text))))
            return database.execute(sql).fetchall()
    with psycopg.connect(url, connect_timeout=5) as connection:
        return connection.execute(sql).fetchall()


def execute(url: str, sql: str) -> None:
    """Run a statement that changes something (PostgreSQL)."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        connection.execute(sql)


def still_open(url: str) -> tuple[int, int] | None:
    """Return how many events (or broadcasts) and deliveries are not over; None: the database does not answer."""
    try:
        ((events, deliveries),) = query(url, OPEN)
    except psycopg.OperationalError:
        return None
    return events, deliveries


def read(url: str) -> Tables:
    """Read everything."""
    events = [EventRow(id=_hex(a), state=b, planned_count=c, last_error=d) for a, b, c, d in query(url, EVENTS)]
    deliveries = [
        DeliveryRow(id=_hex(a), event_id=_hex(b), channel=c, address=d, state=e, reason=f, attempts=g, claims=h)
        for a, b, c, d, e, f, g, h in query(url, DELIVERIES)
    ]
    return Tables(
        events=events,
        deliveries=deliveries,
        sent_tries={_hex(delivery): number for delivery, number in query(url, SENT_TRIES)},
        inbox=Counter((_hex(event), recipient) for event, recipient in query(url, INBOX)),
    )


def inbox_seconds(url: str) -> dict[str, float]:
    """Return how long each event took to reach an inbox, by event id (PostgreSQL)."""
    return {_hex(event): float(seconds) for event, seconds in query(url, INBOX_SECONDS)}


def _hex(value: Any) -> str:
    return str(value).replace("-", "")
