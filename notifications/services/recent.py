"""
What was done lately: in the last five minutes, or in as much of them as the newest 20 000 rows cover.

Gauges over a window and no counters: work is done in the workers, and a counter that only grows would have to be kept
by each of them, where the web process cannot see it. The limit bounds the cost of asking, however busy we are; `window`
says how far back the figures go, so that they can be divided by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Count, F, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from notifications import ids
from notifications.models import Attempt, Delivery, Event
from notifications.types import Channel, Outcome

if TYPE_CHECKING:
    from datetime import datetime

#: How far back we look, and at how many rows of a table.
LATELY = timedelta(minutes=5)
NEWEST = 20_000
#: Upper bounds of the classes of latency, in seconds. What is beyond the last was retried for hours.
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Rows of lately, counted."""

    #: Seconds they go back.
    window: float
    #: By channel (of events: by priority) and outcome.
    numbers: dict[tuple[Any, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long deliveries took from the decision to send them until the provider accepted them."""

    #: How many took no longer than each of `BOUNDS`.
    within: tuple[int, ...]
    number: int
    #: All of them together.
    seconds: float


def events(now: datetime) -> Recent:
    """Return the events that came to an end lately, by priority and state. Index: `event_retention`."""
    # The index leaves out what retention emptied, which happens long after.
    ended = Event.objects.filter(finished_at__gt=now - LATELY, emptied_at__isnull=True)
    rows, window = _lately(ended, now, order="finished_at", time="finished_at")
    return Recent(window=window, numbers=_numbers(rows, "priority", "state"))


def deliveries(now: datetime) -> Recent:
    """Return what became so far of the deliveries made lately, by channel and state. Index: the primary key."""
    made = Delivery.objects.filter(pk__gte=ids.uuid7_at(now - LATELY), is_test=False)
    rows, window = _lately(made, now, order="pk", time="created_at")
    return Recent(window=window, numbers=_numbers(rows, "channel", "state"))


def failures(now: datetime) -> Recent:
    """Return the deliveries that failed lately, whenever they were made, by channel and state: `delivery_failed`."""
    # The states stand in the SQL as text: of parameters, SQLite does not know that they are those of the index.
    failed = RawSQL("state IN ('failed', 'unknown')", (), output_field=BooleanField())
    ended = Delivery.objects.filter(failed, finished_at__gt=now - LATELY, is_test=False)
    rows, window = _lately(ended, now, order="finished_at", time="finished_at")
    return Recent(window=window, numbers=_numbers(rows, "channel", "state"))


def attempts(now: datetime) -> tuple[Recent, dict[Channel, Latency]]:
    """Return the tries begun lately, by channel and outcome, and how long those deliveries took that they ended."""
    # The primary key grows with time. Only what the limit brings is looked at, whatever its outcome.
    rows, window = _lately(Attempt.objects.all(), now, order="pk", time="started_at")
    recent = Recent(window=window, numbers=_numbers(rows, "delivery__channel", "outcome"))
    return recent, _latencies(rows.filter(outcome=Outcome.SENT))


def _latencies(successes: QuerySet[Attempt]) -> dict[Channel, Latency]:
    """By the successful try, so that what took hours is not left out."""
    took = successes.annotate(took=F("delivery__finished_at") - F("delivery__created_at")).filter(took__isnull=False)
    within = {
        f"within_{index}": Count("pk", filter=Q(took__lte=timedelta(seconds=bound)))
        for index, bound in enumerate(BOUNDS)
    }  # fmt: skip
    found = took.order_by().values("delivery__channel").annotate(number=Count("*"), total=Sum("took"), **within)
    return {
        Channel(row["delivery__channel"]): Latency(
            within=tuple(row[name] for name in within), number=row["number"], seconds=row["total"].total_seconds()
        )
        for row in found
    }


def _lately(rows: QuerySet[Any], now: datetime, *, order: str, time: str) -> tuple[QuerySet[Any], float]:
    """Return the newest rows, and how many seconds they go back. `order` has the index and grows with `time`."""
    since = now - LATELY
    for first, begun in rows.order_by(f"-{order}").values_list(order, time)[NEWEST - 1 : NEWEST]:
        rows = rows.filter(**{f"{order}__gte": first})
        since = max(since, begun)
    return rows.filter(**{f"{time}__gte": since}), (now - since).total_seconds()


def _numbers(rows: QuerySet[Any], *by: str) -> dict[tuple[Any, str], int]:
    counted = rows.order_by().values_list(*by).annotate(number=Count("*"))
    return {(key, outcome): number for key, outcome, number in counted}
