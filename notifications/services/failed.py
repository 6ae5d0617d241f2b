"""What failed, and what keeps it from being sent round again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, TextChoices, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from notifications import conf
from notifications.models import Attempt, Broadcast, Delivery, Event
from notifications.services import logs
from notifications.types import BroadcastState, DeliveryState, EventState, Outcome, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.services.logs import Asked

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


class Stage(TextChoices):
    """How far it had got."""

    BROADCAST = "broadcast", _("a broadcast that could not be expanded")
    EVENT = "event", _("an event that could not be dispatched")
    DELIVERY = "delivery", _("a delivery that could not be sent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which failed rows are meant; a field left out restricts nothing."""

    stage: Stage | None = None
    channel: str | None = None
    reason: str | None = None
    template: str | None = None
    #: They failed at this instant or later.
    since: datetime | None = None
    #: They failed before this instant.
    until: datetime | None = None
    event_id: UUID | None = None
    broadcast_id: UUID | None = None
    delivery_ids: tuple[UUID, ...] | None = None
    #: Only deliveries, and of them those that the log is asked for.
    log: Asked | None = None
    #: The last backend that tried.
    backend: str | None = None
    #: What the provider said to the last try; empty: nothing, or it was never tried.
    code: str | None = None
    #: Also those of which nobody knows whether they were sent: some people may be told twice.
    include_unknown: bool = False


def broadcasts(selection: Selection, now: datetime) -> QuerySet[Any]:
    """Return the failed broadcasts that are meant, as `events` does."""
    crashed = Q(last_error=Reason.WORKER_CRASHED)
    found = Broadcast.objects.filter(_failed(selection, now), state=BroadcastState.FAILED).annotate(
        channel=Value(""),
        reason=_first((crashed, Reason.WORKER_CRASHED), default=Reason.EXPANSION_ERROR),
        obstacle=_first(
            (Q(cancelled_at__isnull=False), Obstacle.CANCELLED), (Q(expires_at__lte=now), Obstacle.EXPIRED)
        ),
    )
    if selection.event_id is not None or not _may_be(Stage.BROADCAST, selection):
        return found.none()
    return _wanted(found, reason=selection.reason, pk=selection.broadcast_id)


def events(selection: Selection, now: datetime) -> QuerySet[Any]:
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
    if not _may_be(Stage.EVENT, selection):
        return found.none()
    return _wanted(found, reason=selection.reason, pk=selection.event_id, broadcast=selection.broadcast_id)


def deliveries(selection: Selection, now: datetime) -> QuerySet[Any]:
    """Return the failed deliveries that are meant, each with its `obstacle`."""
    events = Event.objects.filter(pk=OuterRef("event_id"))
    erased = Q(recipient__isnull=True, address="")
    kept = (Q(content__isnull=False) | Exists(events.filter(emptied_at__isnull=True))) & ~erased
    cancelled = Exists(events.filter(cancelled_at__isnull=False)) | Exists(_cancelled_broadcasts())
    accepted = Exists(Attempt.objects.filter(delivery=OuterRef("pk"), outcome=Outcome.SENT))
    unknown = Q(pk__in=[]) if selection.include_unknown else Q(state=DeliveryState.UNKNOWN)
    chosen = Delivery.objects.all() if selection.log is None else logs.rows(Delivery, selection.log)
    found = chosen.filter(_failed(selection, now), state__in=REDRIVABLE).annotate(
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
    if not _may_be(Stage.DELIVERY, selection):
        return found.none()
    if selection.delivery_ids is not None:
        found = found.filter(pk__in=selection.delivery_ids)
    if selection.code is not None:
        found = found.annotate(code=last_code()).filter(code=selection.code)
    return _wanted(
        found,
        backend=selection.backend,
        channel=selection.channel,
        reason=selection.reason,
        event_id=selection.event_id,
        broadcast_id=selection.broadcast_id,
    )


def last_code() -> Coalesce:
    """Return the provider's word to the last try of a delivery, empty without one, for an annotation."""
    last = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-number", "-pk")
    return Coalesce(Subquery(last.values("code")[:1]), Value(""))


def _wanted(found: QuerySet[Any], **wanted: Any) -> QuerySet[Any]:
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


def _may_be(stage: Stage, selection: Selection) -> bool:
    """Tell whether rows of this stage can be meant: what only deliveries have excludes the others."""
    theirs = (selection.channel, selection.delivery_ids, selection.log, selection.backend, selection.code)
    only_deliveries = any(value is not None for value in theirs)
    return selection.stage in {None, stage} and (stage == Stage.DELIVERY or not only_deliveries)


def _cancelled_broadcasts() -> QuerySet[Broadcast]:
    return Broadcast.objects.filter(pk=OuterRef("broadcast_id"), cancelled_at__isnull=False)


def _first(*cases: tuple[Q, str], default: str = "") -> Case:
    """Return the value of the first condition that stands."""
    return Case(
        *[When(condition, then=Value(value)) for condition, value in cases],
        default=Value(default),
        output_field=CharField(),
    )
