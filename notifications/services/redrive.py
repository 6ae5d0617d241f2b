"""Send round again what failed: its attempts stay on record, and its retry schedule begins anew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _

from notifications import conf, wakeups
from notifications.models import Attempt, Broadcast, Delivery, Event
from notifications.types import DeliveryState, EventState, Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

#: Rows of one transaction.
BATCH = 500
#: States a delivery can be sent round again from.
REDRIVABLE = [DeliveryState.FAILED, DeliveryState.UNKNOWN]


class Obstacle(TextChoices):
    """Why a failed row is left alone."""

    ACCEPTED = "accepted", _("one of its tries was accepted")
    UNKNOWN = "unknown", _("it may have been sent already")
    CANCELLED = "cancelled", _("the event was cancelled")
    EXPIRED = "expired", _("it is too late for it")
    CONTENT_GONE = "content_gone", _("its content is no longer kept")
    NOT_SENDABLE = "not_sendable", _("no worker sends by this channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which failed rows are meant; a field left out restricts nothing."""

    channel: str | None = None
    reason: str | None = None
    template: str | None = None
    #: They failed at this instant or later.
    since: datetime | None = None
    #: They failed before this instant.
    until: datetime | None = None
    event_id: UUID | None = None
    delivery_ids: tuple[UUID, ...] | None = None
    #: Also those of which nobody knows whether they were sent: some people may be told twice.
    include_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """How many failed rows have a channel, a reason and an obstacle in common."""

    #: Empty: events that could not be dispatched.
    channel: str
    #: Empty: nobody knows whether it was sent.
    reason: str
    #: None: nothing keeps them from being sent again.
    obstacle: Obstacle | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """How many were sent round again."""

    events: int
    deliveries: int


def count(selection: Selection, *, now: datetime) -> list[Group]:
    """Return what `redrive` would find, most numerous first, in two queries."""
    found = [
        Group(
            channel=row["channel"],
            reason=row["reason"],
            obstacle=Obstacle(row["obstacle"]) if row["obstacle"] else None,
            number=row["number"],
        )
        for rows in (_events(selection, now), _deliveries(selection, now))
        for row in rows.order_by().values("channel", "reason", "obstacle").annotate(number=Count("pk"))
    ]
    return sorted(found, key=lambda group: (-group.number, group.channel, group.reason, group.obstacle or ""))


def redrive(selection: Selection, *, now: datetime, limit: int | None = None) -> Redriven:
    """Send round again what nothing keeps from it, at most `limit` rows: events, then deliveries, the oldest first."""
    rows = _events(selection, now).filter(obstacle="")
    events = sum(_restart_events(rows, batch, now) for batch in _batches(rows, limit))
    left = None if limit is None else limit - events
    rows = _deliveries(selection, now).filter(obstacle="")
    deliveries = sum(_restart_deliveries(rows, batch, now) for batch in _batches(rows, left))
    return Redriven(events=events, deliveries=deliveries)


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


def _restart_events(rows: QuerySet[Any], batch: list[Event], now: datetime) -> int:
    with transaction.atomic():
        restarted: int = rows.filter(pk__in=[event.pk for event in batch]).update(
            state=EventState.PENDING, due_at=now, finished_at=None, claims=0, last_error=""
        )
        _ring(wakeups.dispatch_actor(priority) for priority in {event.priority for event in batch})
    return restarted


def _restart_deliveries(rows: QuerySet[Any], batch: list[Delivery], now: datetime) -> int:
    with transaction.atomic():
        # Retention leaves a locked event alone. The event before its deliveries, as `claiming.cancel` does.
        events = Event.objects.select_for_update().filter(pk__in={row.event_id for row in batch}).order_by("pk")
        list(events.values_list("pk", flat=True))
        # The conditions are repeated: whoever was faster, or cancelled meanwhile, keeps the row.
        restarted: int = rows.filter(pk__in=[row.pk for row in batch]).update(
            state=DeliveryState.PENDING,
            reason="",
            due_at=now,
            finished_at=None,
            started_at=None,
            claims=0,
            attempts_before=F("attempts"),
        )
        _ring(wakeups.deliver_actor(channel) for channel in {row.channel for row in batch})
    return restarted


def _ring(actors: Iterator[str]) -> None:
    for actor in actors:
        transaction.on_commit(partial(wakeups.ring, actor), robust=True)


def _events(selection: Selection, now: datetime) -> QuerySet[Any]:
    """Return the failed events that are meant, each with a `channel` (none), a `reason` and an `obstacle`."""
    crashed = Q(last_error=Reason.WORKER_CRASHED)
    cancelled = Q(cancelled_at__isnull=False) | Exists(_cancelled_broadcasts())
    found = Event.objects.filter(_failed(selection, now), state=EventState.FAILED).annotate(
        channel=Value(""),
        reason=_first((crashed, Reason.WORKER_CRASHED), default=Reason.DISPATCH_ERROR),
        obstacle=_first(
            (Q(cancelled), Obstacle.CANCELLED),
            (Q(expires_at__lte=now), Obstacle.EXPIRED),
            (Q(emptied_at__isnull=False), Obstacle.CONTENT_GONE),
        ),
    )
    if selection.channel is not None or selection.delivery_ids is not None:
        return found.none()
    wanted = {"reason": selection.reason, "pk": selection.event_id}
    return found.filter(**{name: value for name, value in wanted.items() if value is not None})


def _deliveries(selection: Selection, now: datetime) -> QuerySet[Any]:
    """Return the failed deliveries that are meant, each with its `obstacle`."""
    events = Event.objects.filter(pk=OuterRef("event_id"))
    kept = Q(content__isnull=False) | Exists(events.filter(emptied_at__isnull=True))
    cancelled = Exists(events.filter(cancelled_at__isnull=False)) | Exists(_cancelled_broadcasts())
    accepted = Exists(Attempt.objects.filter(delivery=OuterRef("pk"), outcome=Outcome.SENT))
    unknown = Q(pk__in=[]) if selection.include_unknown else Q(state=DeliveryState.UNKNOWN)
    found = Delivery.objects.filter(_failed(selection, now), state__in=REDRIVABLE).annotate(
        obstacle=_first(
            # A worker given up for dead came back with the provider's answer.
            (Q(accepted), Obstacle.ACCEPTED),
            (unknown, Obstacle.UNKNOWN),
            (Q(cancelled), Obstacle.CANCELLED),
            (Q(expires_at__lte=now), Obstacle.EXPIRED),
            (~Q(kept), Obstacle.CONTENT_GONE),
            # In-app is written by dispatch; a channel may have been taken out of the settings.
            (~Q(channel__in=list(conf.channels())), Obstacle.NOT_SENDABLE),
        )
    )
    if selection.delivery_ids is not None:
        found = found.filter(pk__in=selection.delivery_ids)
    wanted = {"channel": selection.channel, "reason": selection.reason, "event_id": selection.event_id}
    return found.filter(**{name: value for name, value in wanted.items() if value is not None})


def _failed(selection: Selection, now: datetime) -> Q:
    """Return what events and deliveries have in common. Nothing that fails after `now`, or it would go round for ever."""
    meant = Q(finished_at__lte=now)
    if selection.template is not None:
        meant &= Q(template=selection.template)
    if selection.since is not None:
        meant &= Q(finished_at__gte=selection.since)
    if selection.until is not None:
        meant &= Q(finished_at__lt=selection.until)
    return meant


def _cancelled_broadcasts() -> QuerySet[Broadcast]:
    return Broadcast.objects.filter(pk=OuterRef("broadcast_id"), cancelled_at__isnull=False)


def _first(*cases: tuple[Q, str], default: str = "") -> Case:
    """Return the value of the first condition that stands."""
    return Case(
        *[When(condition, then=Value(value)) for condition, value in cases],
        default=Value(default),
        output_field=CharField(),
    )
