"""
What waits, and since when: the figures that say how late we are.

They cost the same however many rows there are: they are read off the end of an index that the engine needs anyway, and
counting stops at a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Case, Count, F, Func, QuerySet, TextChoices, Value, When

from notifications.models import Delivery, Event
from notifications.pipeline import digesting, pausing
from notifications.types import Channel, DeliveryState, EventState, Priority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from notifications.pipeline.pausing import Held

#: What is due, and what is due later, is counted up to here in each line: the oldest first.
COUNTED = 10_000
#: In-app deliveries are over when they are written.
SENDABLE = tuple(channel for channel in Channel if channel is not Channel.IN_APP)


class Waiting(TextChoices):
    """What a row that is not over waits for."""

    #: A drain.
    DUE = "due"
    #: The end of a pause.
    HELD = "held"
    #: Its time: delays, schedules, retries.
    DELAYED = "delayed"
    #: The drain that claimed it.
    ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Rows that wait for the same drains: the events of a priority, the deliveries of a channel and priority."""

    priority: Priority
    #: None: events.
    channel: Channel | None = None

    def pending(self) -> QuerySet[Any]:
        """Return what waits in this line, whatever for."""
        if self.channel is None:
            return Event.objects.filter(state=EventState.PENDING, priority=self.priority).order_by()
        pending = Delivery.objects.filter(state=DeliveryState.PENDING, digest_id__isnull=True, channel=self.channel)
        return pending.filter(priority=self.priority).order_by()

    def is_held(self, held: Held) -> bool:
        """Tell whether all of it is held."""
        return held.everything or (self.channel is not None and held.holds_channel(self.channel))


LINES = tuple(Line(priority=priority, channel=channel) for channel in (None, *SENDABLE) for priority in Priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many rows of a line wait."""

    line: Line
    numbers: dict[Waiting, int]
    #: Of them, those that an earlier holder never put down: the lease ran out and was reclaimed.
    reclaimed: int


def oldest_due(now: datetime) -> dict[Line, float]:
    """
    Return for how many seconds the oldest row of each line has been due; 0: none is. What is held is not late.

    One statement that reads the first entry of each line in `event_claim` and `delivery_claim`. While a template is
    held it reads past its rows, as every claim does.
    """
    held = pausing.current(now)
    oldest = _first_due({line: _not_held(line, held) for line in LINES if not line.is_held(held)})
    return {line: max((now - oldest.get(line, now)).total_seconds(), 0.0) for line in LINES}


def oldest_digest(now: datetime) -> float:
    """Return for how many seconds the oldest digest has been due; 0: none is. What is held is not late."""
    held = pausing.current(now)
    if held.everything:
        return 0.0
    due_at = digesting.going(now, held).order_by("due_at").values_list("due_at", flat=True).first()
    return 0.0 if due_at is None else (now - due_at).total_seconds()


def backlogs(now: datetime) -> list[Backlog]:
    """
    Return how much waits in each line: three statements.

    What is due or delayed reads at most `COUNTED` entries of each line in `event_claim` and `delivery_claim`. What is
    active reads `event_reclaim` and `delivery_reclaim`, which hold no more than the drains of all workers have claimed.
    """
    active, found = dict(_active()), []
    for line, (due, on_hold, reclaimed, delayed) in _pending(now, pausing.current(now)).items():
        claimed, claimed_again = active.get(line, (0, 0))
        numbers = {
            Waiting.DUE: due - on_hold,
            Waiting.HELD: on_hold,
            Waiting.DELAYED: delayed,
            Waiting.ACTIVE: claimed,
        }
        found.append(Backlog(line=line, numbers=numbers, reclaimed=reclaimed + claimed_again))
    return found


def held_by(held: Held, now: datetime) -> dict[Line, int]:
    """
    Return how many due rows of each line these pauses hold, of the oldest `COUNTED`: one statement.

    The lines of which they hold nothing are left out.
    """
    return {line: on_hold for line, (_, on_hold, _, _) in _pending(now, held).items() if on_hold}


def _pending(now: datetime, held: Held) -> dict[Line, tuple[int, int, int, int]]:
    """Return the numbers of each line: due; of those, held, and reclaimed; delayed."""
    asked = [_counting(line, index, now, held) for index, line in enumerate(LINES)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(sql for sql, _ in asked), [value for _, values in asked for value in values])
        return {LINES[index]: tuple(numbers) for index, *numbers in cursor.fetchall()}


def _not_held(line: Line, held: Held) -> QuerySet[Any]:
    rows = line.pending()
    if held.templates:
        rows = rows.exclude(template__in=held.templates)
    if held.broadcasts:
        rows = rows.exclude(broadcast_id__in=held.broadcasts)
    return rows


def _first_due(waiting: dict[Line, QuerySet[Any]]) -> dict[Line, datetime]:
    """Return when the first row of each line is, or was, due; without those where nothing waits."""
    # Not `Min`: its GROUP BY would read every waiting row.
    first = [
        rows.values_list(Value(LINES.index(line)), Func(F("due_at"), function="MIN")) for line, rows in waiting.items()
    ]
    found = dict(first[0].union(*first[1:], all=True)) if first else {}
    return {line: found[index] for index, line in enumerate(LINES) if found.get(index) is not None}


def _counting(line: Line, index: int, now: datetime, held: Held) -> tuple[str, list[Any]]:
    """Return the SELECT, and its parameters, of: index; number of due rows; of them held, and reclaimed; delayed."""
    # In the order of the index, or the database would collect all that match before it counts the first.
    rows = line.pending().order_by("due_at")
    columns = ("claims", "template_id", "broadcast_id")
    due, of_due = rows.filter(due_at__lte=now).values(*columns)[:COUNTED].query.sql_with_params()
    delayed, of_delayed = rows.filter(due_at__gt=now).values("due_at")[:COUNTED].query.sql_with_params()
    is_held, of_held = _holding(line, held)
    # Whoever puts a row down in good order takes its claims back.
    sums = ", ".join(f"COALESCE(SUM(CASE WHEN {test} THEN 1 ELSE 0 END), 0)" for test in (is_held, "claims > 0"))
    sql = f"SELECT {index}, COUNT(*), {sums}, (SELECT COUNT(*) FROM ({delayed}) AS delayed) FROM ({due}) AS due"  # noqa: S608 - ours
    return sql, [*of_held, *of_delayed, *of_due]


def _holding(line: Line, held: Held) -> tuple[str, list[Any]]:
    """Return the condition under which a row of a line is held, and its parameters."""
    if line.is_held(held) or not (held.templates or held.broadcasts):
        return f"1 = {line.is_held(held):d}", []
    key = Delivery._meta.get_field("broadcast_id")
    names = {
        "template_id": sorted(held.templates),
        "broadcast_id": [key.get_db_prep_value(pk, connection) for pk in sorted(held.broadcasts)],
    }
    tests = [f"{column} IN ({', '.join(['%s'] * len(values))})" for column, values in names.items() if values]
    return " OR ".join(tests), [value for values in names.values() for value in values]


def _active() -> Iterator[tuple[Line, tuple[int, int]]]:
    """Yield line, and number of claimed rows, of them reclaimed: the claim of the present holder says nothing."""
    again = Count(Case(When(claims__gt=1, then=1)))
    events = Event.objects.filter(state=EventState.DISPATCHING).order_by().values_list("priority")
    for priority, number, reclaimed in events.annotate(number=Count("*"), again=again):
        yield Line(priority=Priority(priority)), (number, reclaimed)
    deliveries = Delivery.objects.filter(state=DeliveryState.SENDING).order_by().values_list("channel", "priority")
    for channel, priority, number, reclaimed in deliveries.annotate(number=Count("*"), again=again):
        yield Line(priority=Priority(priority), channel=Channel(channel)), (number, reclaimed)
