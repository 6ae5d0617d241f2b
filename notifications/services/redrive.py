"""Send round again what failed: its attempts stay on record, and its retry schedule begins anew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, F, QuerySet

from notifications import wakeups
from notifications.models import Broadcast, Delivery, Event
from notifications.services import failed
from notifications.services.failed import Obstacle, Selection
from notifications.types import BroadcastState, DeliveryState, EventState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

#: Rows of one transaction.
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """How many failed rows have a channel, a reason and an obstacle in common."""

    #: Empty: events that could not be dispatched, and broadcasts that could not be expanded.
    channel: str
    #: Empty: nobody knows whether it was sent.
    reason: str
    #: None: nothing keeps them from being sent again.
    obstacle: Obstacle | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """How many were sent round again."""

    broadcasts: int = 0
    events: int
    deliveries: int


def count(selection: Selection, *, now: datetime) -> list[Group]:
    """Return what `redrive` would find, most numerous first, in three queries."""
    found = [
        Group(
            channel=row["channel"],
            reason=row["reason"],
            obstacle=Obstacle(row["obstacle"]) if row["obstacle"] else None,
            number=row["number"],
        )
        for rows in (
            failed.broadcasts(selection, now),
            failed.events(selection, now),
            failed.deliveries(selection, now),
        )
        for row in rows.order_by().values("channel", "reason", "obstacle").annotate(number=Count("pk"))
    ]
    return sorted(found, key=lambda group: (-group.number, group.channel, group.reason, group.obstacle or ""))


def redrive(selection: Selection, *, now: datetime, limit: int | None = None) -> Redriven:
    """
    Send round again what nothing keeps from it, at most `limit` rows.

    Broadcasts, then events, then deliveries, the oldest of each first.
    """
    left, numbers = limit, []
    for find, restart in (
        (failed.broadcasts, _restart_broadcasts),
        (failed.events, _restart_events),
        (failed.deliveries, _restart_deliveries),
    ):
        rows = find(selection, now).filter(obstacle="")
        numbers.append(sum(restart(rows, batch, now) for batch in _batches(rows, left)))
        left = None if left is None else left - numbers[-1]
    broadcasts, events, deliveries = numbers
    return Redriven(broadcasts=broadcasts, events=events, deliveries=deliveries)


def _batches(rows: QuerySet[Any], limit: int | None) -> Iterator[list[Any]]:
    """Return the rows bit by bit, by when they failed; whoever asks for more has sent the former round again."""
    rows = rows.order_by("finished_at", "pk")
    ahead, left = rows, limit
    while left is None or left > 0:
        batch = list(ahead[: BATCH if left is None else min(BATCH, left)])
        if not batch:
            return
        yield batch
        # What is left alone is not looked at again.
        ahead = rows.filter(finished_at__gte=batch[-1].finished_at)
        left = None if left is None else left - len(batch)


def _restart_broadcasts(rows: QuerySet[Any], batch: list[Broadcast], now: datetime) -> int:
    with transaction.atomic():
        restarted: int = rows.filter(pk__in=[row.pk for row in batch]).update(
            state=BroadcastState.PENDING,
            slot=None,
            due_at=now,
            finished_at=None,
            completed_at=None,
            claims=0,
            last_error="",
        )
        _ring(iter([wakeups.EXPAND]))
    return restarted


def _restart_events(rows: QuerySet[Any], batch: list[Event], now: datetime) -> int:
    with transaction.atomic():
        restarted: int = rows.filter(pk__in=[event.pk for event in batch]).update(
            state=EventState.PENDING, due_at=now, finished_at=None, claims=0, last_error=""
        )
        _open_broadcasts(batch)
        _ring(wakeups.dispatch_actor(priority) for priority in {event.priority for event in batch})
    return restarted


def _restart_deliveries(rows: QuerySet[Any], batch: list[Delivery], now: datetime) -> int:
    with transaction.atomic():
        # Retention leaves a locked event alone. The event before its deliveries, as `cancelling.cancel` does.
        events = Event.objects.select_for_update().filter(pk__in={row.event_id for row in batch}).order_by("pk")
        list(events.values_list("pk", flat=True))
        # The conditions are repeated: whoever was faster, or cancelled meanwhile, keeps the row.
        restarted: int = rows.filter(pk__in=[row.pk for row in batch]).update(
            state=DeliveryState.PENDING,
            reason="",
            due_at=now,
            finished_at=None,
            started_at=None,
            digest_id=None,
            claims=0,
            attempts_before=F("attempts"),
        )
        _open_broadcasts(batch)
        _ring(wakeups.deliver_actor(channel) for channel in {row.channel for row in batch})
    return restarted


def _open_broadcasts(batch: list[Event] | list[Delivery]) -> None:
    """Have the progress of their broadcasts measured again."""
    pks = {row.broadcast_id for row in batch} - {None}
    Broadcast.objects.filter(pk__in=pks, completed_at__isnull=False).update(completed_at=None)


def _ring(actors: Iterator[str]) -> None:
    for actor in actors:
        transaction.on_commit(partial(wakeups.ring, actor), robust=True)
