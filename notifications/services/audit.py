"""
Is everything that was accepted delivered or explained? Compare what dispatch noted on the events with the rows.

Each kind of breach is looked for by one statement, and by another if there is one, whatever the number of events. A
statement sees one instant, so the workers may go on meanwhile. Events that retention has emptied are not asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, TextChoices
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from notifications import conf, ids
from notifications.models import Attempt, Broadcast, Delivery, Digest, Event, Notification
from notifications.pipeline import digesting, pausing
from notifications.types import BroadcastState, Channel, DeliveryState, DigestState, EventState, Outcome

if TYPE_CHECKING:
    from datetime import datetime

#: Due for longer than this, or held for this much longer than the lease: stuck.
OVERDUE = timedelta(minutes=5)
OVERHELD = timedelta(minutes=2)
#: Retention may run while the audit does: what it is about to take is not missed.
RETENTION_SLACK = timedelta(hours=1)
#: Breaches of one kind that are told one by one.
SHOWN = 20


class Kind(TextChoices):
    """What can be wrong."""

    DELIVERIES = "deliveries", _("events whose deliveries are not those that were planned")
    NOTIFICATIONS = "notifications", _("events whose recipients are not all accounted for")
    EXPANSION = "expansion", _("broadcasts whose events are not those that were made")
    UNDELIVERED = "undelivered", _("notifications without any delivery")
    EVENT_GONE = "event_gone", _("deliveries whose event went before its time")
    NO_SUCCESS = "no_success", _("deliveries that are sent, without an attempt that succeeded")
    ATTEMPTS = "attempts", _("deliveries with fewer attempts on record than were made")
    BROADCAST_OVERDUE = "broadcast_overdue", _("broadcasts that nobody expands")
    DIGEST_OVERDUE = "digest_overdue", _("digests that nobody closes")
    DIGEST_LEFT = "digest_left", _("deliveries left in a digest that is closed")
    EVENT_OVERDUE = "event_overdue", _("events that nobody claims")
    DELIVERY_OVERDUE = "delivery_overdue", _("deliveries that nobody claims")
    BROADCAST_OVERHELD = "broadcast_overheld", _("broadcasts whose lease ran out and that nobody frees")
    EVENT_OVERHELD = "event_overheld", _("events whose lease ran out and that nobody frees")
    DELIVERY_OVERHELD = "delivery_overheld", _("deliveries whose lease ran out and that nobody frees")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One row that breaks the promise."""

    id: UUID
    #: The figures that do not agree.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """All breaches of one kind."""

    kind: Kind
    number: int
    #: The oldest.
    first: tuple[Breach, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """How much was looked at, and what was found: nothing, if all is well."""

    events: int
    deliveries: int
    findings: tuple[Finding, ...]


def audit(*, now: datetime, since: datetime | None = None) -> Audit:
    """
    Look at what was published since an instant; None: since the oldest event that is still there.

    What is stuck is found whenever it was published.
    """
    start = _start(now) if since is None else ids.uuid7_at(since)
    events = Event.objects.filter(pk__gte=start, state=EventState.DISPATCHED, emptied_at__isnull=True)
    deliveries = Delivery.objects.filter(pk__gte=start)
    questions = {
        Kind.DELIVERIES: _unlike_planned(events),
        Kind.NOTIFICATIONS: _unaccounted(events),
        Kind.EXPANSION: _unlike_made(now),
        Kind.UNDELIVERED: _undelivered(events, start),
        Kind.EVENT_GONE: _eventless(deliveries, now),
        Kind.NO_SUCCESS: _without_success(deliveries),
        Kind.ATTEMPTS: _without_attempts(deliveries),
        **_stuck(now),
    }
    found = (_finding(kind, rows, detail) for kind, (rows, detail) in questions.items())
    return Audit(
        events=events.count(),
        deliveries=deliveries.count(),
        findings=tuple(finding for finding in found if finding.number),
    )


#: The rows that break the promise, and what to say of each: a format of `row`.
_Question = tuple[QuerySet[Any], str]


def _finding(kind: Kind, rows: QuerySet[Any], detail: str) -> Finding:
    # Counted first: with a limit, the database would go row by row where it could join.
    number = rows.order_by().count()
    first = rows.order_by("pk")[:SHOWN] if number else ()
    return Finding(
        kind=kind, number=number, first=tuple(Breach(id=row.pk, detail=detail.format(row=row)) for row in first)
    )


def _start(now: datetime) -> UUID:
    """Return the smallest id of what the events still there can account for."""
    latest = ids.uuid7_at(now - timedelta(days=conf.current().retention_events_days))
    oldest = Event.objects.filter(state=EventState.DISPATCHED, emptied_at__isnull=True).order_by("pk").first()
    return latest if oldest is None else min(latest, oldest.pk)


def _unlike_planned(events: QuerySet[Event]) -> _Question:
    # A row in a state that does not exist is as good as lost.
    known = Delivery.objects.filter(event_id=OuterRef("pk"), state__in=DeliveryState.values)
    rows = events.annotate(found=_number(known, "event_id")).exclude(found=F("planned_count"))
    return rows, "planned {row.planned_count}, found {row.found}"


def _unaccounted(events: QuerySet[Event]) -> _Question:
    """An account that is erased takes its notifications along; its deliveries stay, without a recipient."""
    deliveries = Delivery.objects.filter(event_id=OuterRef("pk"))
    erased = Exists(deliveries.filter(recipient__isnull=True))
    orphaned = Exists(deliveries.filter(recipient__isnull=False, notification__isnull=True))
    told = _number(Notification.objects.filter(event_id=OuterRef("pk")), "event_id")
    rows = events.annotate(told=told, explained=F("told") + F("unknown_count") + F("duplicate_count"))
    detail = (
        "{row.recipient_count} given: {row.told} told, {row.unknown_count} unknown, {row.duplicate_count} duplicate"
    )
    return rows.filter(orphaned | (~Q(explained=F("recipient_count")) & ~erased)), detail


def _unlike_made(now: datetime) -> _Question:
    """Those that are old enough for retention to have begun with their events are not asked about."""
    kept = now - timedelta(days=conf.current().retention_events_days) + RETENTION_SLACK
    rows = Broadcast.objects.filter(created_at__gt=kept)
    rows = rows.annotate(found=_number(Event.objects.filter(broadcast=OuterRef("pk")), "broadcast"))
    return rows.exclude(found=F("event_count")), "made {row.event_count}, found {row.found}"


def _undelivered(events: QuerySet[Event], start: UUID) -> _Question:
    planned = events.filter(pk=OuterRef("event_id"), planned_count__gt=0)
    # No notification is older than its event.
    rows = Notification.objects.filter(Exists(planned), pk__gte=start)
    return rows.filter(~Exists(Delivery.objects.filter(notification=OuterRef("pk")))), "event {row.event_id}"


def _eventless(deliveries: QuerySet[Delivery], now: datetime) -> _Question:
    whole = Event.objects.filter(pk=OuterRef("event_id"), emptied_at__isnull=True)
    kept = now - timedelta(days=conf.current().retention_events_days) + RETENTION_SLACK
    due_to_have_one = Q(finished_at__isnull=True) | Q(finished_at__gt=kept)
    return deliveries.filter(due_to_have_one, ~Exists(whole), event_id__isnull=False), "event {row.event_id}"


def _without_success(deliveries: QuerySet[Delivery]) -> _Question:
    success = Attempt.objects.filter(delivery=OuterRef("pk"), outcome=Outcome.SENT)
    sent = deliveries.filter(state=DeliveryState.SENT).exclude(channel=Channel.IN_APP)
    return sent.filter(~Exists(success)), "{row.channel}, sent at {row.sent_at:%Y-%m-%d %H:%M:%S}"


def _without_attempts(deliveries: QuerySet[Delivery]) -> _Question:
    """A worker that lost its lease leaves an attempt that is not counted: more on record is no breach."""
    recorded = _number(Attempt.objects.filter(delivery=OuterRef("pk")), "delivery")
    tried = deliveries.filter(attempts__gt=0).annotate(recorded=recorded)
    return tried.filter(recorded__lt=F("attempts")), "{row.attempts} made, {row.recorded} on record"


def _stuck(now: datetime) -> dict[Kind, _Question]:
    """What a pause holds is not stuck."""
    held = pausing.current(now)
    overdue = Q(state="pending", due_at__lt=now - OVERDUE) & ~Q(template__in=held.templates)
    going = overdue & ~Q(broadcast_id__in=held.broadcasts) if held.broadcasts else overdue
    unsent = (
        going
        & Q(digest_id__isnull=True)
        & ~Q(channel__in=[channel for channel in conf.channels() if held.holds_channel(channel)])
    )
    unmade = Broadcast.objects.filter(overdue, slot__isnull=False).exclude(pk__in=held.broadcasts)
    late = digesting.going(now - OVERDUE, held)
    is_open = Digest.objects.filter(pk=OuterRef("digest_id"), state=DigestState.OPEN)
    left = Delivery.objects.filter(~Exists(is_open), digest_id__isnull=False, state=DeliveryState.PENDING)
    lease_over = Q(lease_until__lt=now - OVERHELD)
    due, lease = "due since {row.due_at:%Y-%m-%d %H:%M:%S}", "lease until {row.lease_until:%Y-%m-%d %H:%M:%S}"
    return {
        Kind.BROADCAST_OVERDUE: (unmade.none() if held.everything else unmade, due),
        Kind.EVENT_OVERDUE: (Event.objects.none() if held.everything else Event.objects.filter(going), due),
        Kind.DELIVERY_OVERDUE: (Delivery.objects.filter(unsent), "{row.channel}, " + due),
        Kind.BROADCAST_OVERHELD: (
            Broadcast.objects.filter(lease_over, state=BroadcastState.EXPANDING),
            lease,
        ),
        Kind.DIGEST_OVERDUE: (late.none() if held.everything else late, due),
        Kind.DIGEST_LEFT: (left, "{row.channel}, digest {row.digest_id}"),
        Kind.EVENT_OVERHELD: (Event.objects.filter(lease_over, state=EventState.DISPATCHING), lease),
        Kind.DELIVERY_OVERHELD: (
            Delivery.objects.filter(lease_over, state=DeliveryState.SENDING),
            "{row.channel}, " + lease,
        ),
    }


def _number(rows: QuerySet[Any], by: str) -> Coalesce:
    """Return a subquery that counts the rows of the outer row."""
    counted = rows.order_by().values(by).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
