"""What is on record of a template for a user: every look-up is bounded, the newest first. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from notifications import conf
from notifications.models import Attempt, Broadcast, Delivery, Event, Notification
from notifications.pipeline import pausing
from notifications.services import reevaluated, suppressions, tracking
from notifications.services.explanation import Basis, Line, Row, shown
from notifications.services.remedies import PAUSED
from notifications.types import BroadcastState, Channel, DeliveryState, EventState, Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from django.db.models import Model

#: What is shown of each kind.
SHOWN = 5
#: Events that are read to see whom they name: they have no index by recipient.
EVENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who asks about what."""

    recipient: Any
    template: str
    #: Empty: any object, or none.
    about: str
    #: The recipient's own.
    zone: ZoneInfo

    @property
    def wanted(self) -> dict[str, str]:
        """The filter for publications and notifications."""
        return {"template": self.template, **({"about": self.about} if self.about else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The newest events of a template, by whether they name a user."""

    naming: tuple[Event, ...]
    others: int
    #: Retention took their recipients: nobody knows whom they named.
    emptied: int
    is_complete: bool
    latest: Event | None


def events_of(subject: Subject) -> Events:
    """Return the newest events of the template, and about the object if one is given."""
    key = str(subject.recipient.pk)
    rows = list(Event.objects.filter(**subject.wanted).order_by("-pk").defer("variables")[: EVENTS + 1])
    looked_at = rows[:EVENTS]
    naming = tuple(event for event in looked_at if key in event.recipients)
    emptied = sum(event.emptied_at is not None for event in looked_at)
    # An event for nobody holds the idempotency key of an audience.
    others = sum(bool(event.recipients) for event in looked_at) - len(naming)
    latest = naming[0] if naming else next((event for event in looked_at if event.recipients), None)
    return Events(naming=naming, others=others, emptied=emptied, is_complete=len(rows) <= EVENTS, latest=latest)


def of_subject(subject: Subject, events: Events, *, now: datetime) -> Iterator[Line]:
    """Yield what is on record: notifications, events that have not got that far, and those of others."""
    mine = Notification.objects.filter(recipient=subject.recipient)
    shown_ones = list(mine.filter(**subject.wanted).order_by("-pk")[: SHOWN + 1])
    yield from _of_notifications(shown_ones[:SHOWN], subject.zone)
    if len(shown_ones) > SHOWN:
        yield _line(_("Older notifications are left out."))
    stranded = Delivery.objects.filter(recipient=subject.recipient, template=subject.template, notification=None)
    if subject.about:
        stranded = stranded.filter(event_id__in=[event.pk for event in events.naming])
    yield from _of_deliveries(stranded.order_by("-pk")[:SHOWN], subject.zone)
    told = set(mine.filter(event_id__in=[event.pk for event in events.naming]).values_list("event_id", flat=True))
    yield from _of_events(events, told, subject.zone, now)
    yield from _of_broadcasts(subject, now)
    yield from _of_nobody(subject, events, is_told=bool(shown_ones))


def of_notification(notification: Notification, *, zone: ZoneInfo) -> list[Line]:
    """Return what is on record of one notification: its deliveries, channel by channel."""
    return list(_of_notifications([notification], zone))


def _of_notifications(rows: list[Notification], zone: ZoneInfo) -> Iterator[Line]:
    deliveries = Delivery.objects.filter(notification__in=rows).order_by("pk")
    by_notification: dict[UUID | None, list[Delivery]] = {}
    for row in deliveries:
        by_notification.setdefault(row.notification_id, []).append(row)
    for notification in rows:
        said = {"at": shown(notification.created_at, zone), "about": notification.about}
        text = _("Notified at %(at)s about %(about)s") if notification.about else _("Notified at %(at)s")
        yield _line(text % said, at=notification.created_at, row=notification)
        of_it = by_notification.get(notification.pk, [])
        if not of_it:
            days = {"days": f"{conf.current().retention_deliveries_days:g}"}
            yield _line(_("Nothing of its deliveries is on record; they are kept for %(days)s days.") % days)
        yield from _of_deliveries(of_it, zone)


def _of_deliveries(rows: Iterable[Delivery], zone: ZoneInfo) -> Iterator[Line]:
    rows = list(rows)
    ended = Attempt.objects.filter(delivery__in=rows).order_by("number", "pk")
    last = {attempt.delivery_id: attempt for attempt in ended}
    for row in sorted(rows, key=lambda row: Channel.values.index(row.channel)):
        is_over = row.finished_at is not None
        at = row.due_at if row.finished_at is None else row.finished_at
        parts = [_("%(channel)s: %(state)s") % {"channel": Channel(row.channel).label, "state": _label(row)}]
        if row.reason:
            parts.append(str(Reason(row.reason).label))
        if row.reason == Reason.SUPPRESSED_ADDRESS and (cause := suppressions.cause(row.channel, row.address, at=at)):
            parts.append(cause)
        parts.append((_("at %(at)s") if is_over else _("due at %(at)s")) % {"at": shown(at, zone)})
        if row.attempts:
            parts.append(_("tries: %(number)s") % {"number": row.attempts})
        if row.pk in last:
            parts.append(_("the last one: %(outcome)s") % {"outcome": Outcome(last[row.pk].outcome).label})
        parts += _feedback(row, zone)
        yield _line(", ".join(parts), channel=row.channel, state=row.state, reason=row.reason, at=at, row=row)


def _feedback(row: Delivery, zone: ZoneInfo) -> Iterator[str]:
    """Yield what the provider told afterwards, in the order in which it happened."""
    told = [(at, kind.label) for kind, column in tracking.COLUMNS.items() if (at := getattr(row, column)) is not None]
    for at, label in sorted(told, key=lambda one: one[0]):
        yield _("%(what)s at %(at)s") % {"what": label, "at": shown(at, zone)}


def _label(row: Delivery) -> str:
    return str(DeliveryState(row.state).label)


def _of_events(events: Events, told: set[UUID], zone: ZoneInfo, now: datetime) -> Iterator[Line]:
    """Yield the events that name the user and of which they have no notification."""
    untold = [event for event in events.naming if event.pk not in told]
    for event in untold[:SHOWN]:
        at = event.finished_at or event.due_at
        said = {"at": shown(at, zone), "error": event.last_error}
        yield _line(_of_event(event, now) % said, state=event.state, at=at, row=event)
        if event.finished_at is None and event.broadcast_id in pausing.current(now).broadcasts:
            yield _line(_("Its broadcast is paused."), state=PAUSED)
    if len(untold) > SHOWN:
        yield _line(_("Older events for this user are left out."))


def _of_event(event: Event, now: datetime) -> str:
    """Return what to say of an event that made no notification of the user's."""
    match event.state:
        case EventState.PENDING if event.due_at > now:
            return _("An event for this user waits until %(at)s.")
        case EventState.PENDING:
            return _("An event for this user has been due since %(at)s, and waits for a worker.")
        case EventState.DISPATCHING:
            return _("An event for this user is being dispatched.")
        case EventState.CANCELLED:
            return _("An event for this user was cancelled at %(at)s.")
        case EventState.EXPIRED:
            return _("An event for this user expired at %(at)s, before it was dispatched.")
        case EventState.FAILED:
            return _("An event for this user could not be dispatched at %(at)s: %(error)s")
        case _dispatched:
            return _(
                "An event for this user was dispatched at %(at)s, but there is no notification: it is not kept any "
                "more, or the user was not there yet."
            )


def _of_broadcasts(subject: Subject, now: datetime) -> Iterator[Line]:
    """Yield the broadcasts to audiences, each with whether the user belongs there today, and to lists not all told."""
    rows = Broadcast.objects.filter(**subject.wanted).exclude(audience="", recipients__isnull=True)
    for row in rows.order_by("-pk")[:SHOWN]:
        at = row.cancelled_at or row.finished_at or row.due_at
        said = {
            "to": _("the audience %(name)s") % {"name": row.audience} if row.audience else _("a list"),
            "state": BroadcastState(row.state).label,
            "at": shown(at, subject.zone),
            "error": row.last_error,
        }
        if row.cancelled_at is not None:
            text = _("A broadcast to %(to)s was cancelled at %(at)s.")
        elif row.finished_at is None:
            text = _("A broadcast to %(to)s is not expanded yet; due at %(at)s.")
        elif row.state == BroadcastState.FAILED:
            text = _("A broadcast to %(to)s could not be expanded at %(at)s: %(error)s")
        else:
            text = _("A broadcast to %(to)s: %(state)s at %(at)s.")
        yield _line(text % said, state=row.state, at=at, row=row)
        if row.finished_at is None and row.pk in pausing.current(now).broadcasts:
            yield _line(_("Its broadcast is paused."), state=PAUSED)
        if row.recipients is None:
            yield reevaluated.membership(row.audience, subject.recipient)
        elif str(subject.recipient.pk) in row.recipients:
            yield _line(_("This user is on the list."))
        else:
            yield _line(_("This user is not on the list."))


def _of_nobody(subject: Subject, events: Events, *, is_told: bool) -> Iterator[Line]:
    """Yield what is known of events that do not name the user, and what nothing can be known of."""
    config = conf.current()
    said = {
        "about": subject.about or subject.template,
        "others": events.others,
        "emptied": events.emptied,
        "limit": EVENTS,
        "events": f"{config.retention_events_days:g}",
        "failed": f"{config.retention_failed_events_days:g}",
        "deliveries": f"{config.retention_deliveries_days:g}",
    }
    if events.others:
        yield _line(_("Events about %(about)s of which this user is not a recipient: %(others)s") % said)
    if events.emptied:
        yield _line(_("Events about %(about)s whose recipients are no longer kept: %(emptied)s") % said)
    if not events.is_complete:
        yield _line(_("Only the newest %(limit)s events were looked at; older ones may name this user.") % said)
    if is_told or events.naming:
        return
    yield _line(_("No event about %(about)s that names this user is on record.") % said)
    yield _line(
        _(
            "It was never published, or its transaction was rolled back, which leaves no trace, or it is not kept any "
            "more: events are kept for %(events)s days after they are over, failed ones for %(failed)s, deliveries for "
            "%(deliveries)s."
        )
        % said
    )


def _line(
    text: str,
    *,
    channel: str = "",
    state: str = "",
    reason: str = "",
    at: datetime | None = None,
    row: Model | None = None,
) -> Line:
    about = None if row is None else Row.of(row)
    return Line(text=text, basis=Basis.RECORDED, channel=channel, state=state, reason=reason, at=at, row=about)
