"""So many notifications of a category a day, and no more: counted by the recipient's own days, over all processes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db import connection

from notifications.models import FrequencyCount
from notifications.pipeline import routing
from notifications.pipeline.quiet_hours import time_zone
from notifications.types import Channel, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from notifications.pipeline.planning import Planned, Told

#: recipient, category and day
_Key = tuple[Any, str, "date"]
_Wanting = dict[_Key, list[tuple["Planned", "Told"]]]


def apply(batch: Iterable[Planned], *, now: datetime) -> None:
    """
    Count what would be sent beyond the inbox, and suppress what is over the cap; within the caller's transaction.

    One statement for the whole batch: it adds to the counts and says what they are now. The rows are locked until the
    transaction ends, in the order of their keys, so that batches neither count past each other nor wait in a circle.
    """
    wanting = _wanting(batch, now)
    if not wanting:
        return
    counted = _add({key: len(several) for key, several in wanting.items()})
    before = {key: counted[key] - len(several) for key, several in wanting.items()}
    _suppress_the_rest(wanting, before, now)


def foresee(batch: Iterable[Planned], *, now: datetime) -> None:
    """Suppress what would be over the cap by the counts as they are; count nothing. One query for the whole batch."""
    wanting = _wanting(batch, now)
    if wanting:
        _suppress_the_rest(wanting, _counts(wanting), now)


def _wanting(batch: Iterable[Planned], now: datetime) -> _Wanting:
    """Return those of capped categories that would get more than an inbox item, together with whose they are."""
    found: defaultdict[_Key, list[tuple[Planned, Told]]] = defaultdict(list)
    for planned in batch:
        if planned.category.daily_cap is None or planned.facts.is_required:
            continue
        for told in planned.told:
            if any(row.state == DeliveryState.PENDING for row in told.deliveries):
                found[_key(planned, told, now)].append((planned, told))
    return found


def _key(planned: Planned, told: Told, now: datetime) -> _Key:
    day = now.astimezone(time_zone(told.recipient.routing.time_zone)).date()
    return (told.recipient.pk, planned.category.code, day)


def _counts(keys: Iterable[_Key]) -> dict[_Key, int]:
    """Return the counts as they are; a key that was never counted is left out."""
    people, categories, days = zip(*keys, strict=True)
    rows = FrequencyCount.objects.filter(recipient__in=people, category__in=set(categories), day__in=set(days))
    return {(row.recipient_id, row.category_id, row.day): row.number for row in rows}


def _add(numbers: dict[_Key, int]) -> dict[_Key, int]:
    """Add to the counts, in the order of their keys; return what they are now."""
    meta, quote = FrequencyCount._meta, connection.ops.quote_name
    table = quote(meta.db_table)
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    columns = ", ".join(quote(field.column) for field in fields)
    rows = {
        tuple(
            field.get_db_prep_save(value, connection) for field, value in zip(fields, (*key, number), strict=True)
        ): key
        for key, number in numbers.items()
    }
    ordered = sorted(rows, key=lambda row: (str(row[0]), row[1], str(row[2])))
    sql = (
        f"INSERT INTO {table} ({columns}) VALUES {', '.join(['(%s, %s, %s, %s)'] * len(rows))} "  # noqa: S608 - ours
        f"ON CONFLICT (recipient_id, category_id, day) DO UPDATE SET number = {table}.number + EXCLUDED.number "
        f"RETURNING recipient_id, category_id, day, number"
    )
    known = {tuple(map(str, row[:3])): key for row, key in rows.items()}
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for row in ordered for value in row])
        return {known[tuple(map(str, row[:3]))]: row[3] for row in cursor.fetchall()}


def _suppress_the_rest(wanting: _Wanting, before: dict[_Key, int], now: datetime) -> None:
    """Suppress whoever comes after the cap; `before` them, so many were counted."""
    for key, several in wanting.items():
        for number, (planned, told) in enumerate(several, start=before.get(key, 0) + 1):
            if number > (planned.category.daily_cap or 0):
                _suppress(planned, told, now)


def _suppress(planned: Planned, told: Told, now: datetime) -> None:
    """Plan once more, for somebody who has had enough; the inbox stays as it is."""
    routes = routing.plan(planned.facts, told.recipient.routing, now=now, is_capped=True)
    told.routes = routes
    for route, row in zip(routes, told.deliveries, strict=True):
        if row.channel != Channel.IN_APP and row.state == DeliveryState.PENDING:
            row.state, row.reason, row.due_at = route.state, route.reason or "", route.due_at
            row.finished_at = None if row.state == DeliveryState.PENDING else now
