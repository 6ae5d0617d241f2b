"""The life of one delivery, moment by moment: published, planned, tried, told of by the provider. Holds no address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from notifications.models import Attempt, Delivery, Event, ProviderEvent
from notifications.types import DeliveryState, Feedback, Outcome, Reason, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

#: What is shown of each kind: a delivery is tried a few dozen times at most, but opened as often as people like.
SHOWN = 100
_GOOD = {Outcome.SENT, Feedback.DELIVERED, Feedback.OPENED, Feedback.CLICKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to a delivery, or will."""

    #: Aware.
    at: datetime
    title: str
    #: More of it, line by line.
    details: tuple[str, ...] = ()
    #: good, bad, or empty: neither.
    tone: str = ""


def of_delivery(delivery: Delivery) -> list[Moment]:
    """Return the moments of a delivery in the order in which they happened: three queries."""
    found = [*_published(delivery), _planned(delivery), *_tries(delivery), *_feedback(delivery), *_ended(delivery)]
    return sorted(found, key=lambda moment: moment.at)


def _published(delivery: Delivery) -> Iterator[Moment]:
    event = Event.objects.filter(pk=delivery.event_id).first() if delivery.event_id else None
    if event is None:
        return
    details = [_("by %(source)s") % {"source": Source(event.source).label}]
    if event.about:
        details.append(_("about %(about)s") % {"about": event.about})
    yield Moment(at=event.created_at, title=_("Published"), details=tuple(details))
    if event.cancelled_at is not None:
        yield Moment(at=event.cancelled_at, title=_("The event was cancelled"), tone="bad")


def _planned(delivery: Delivery) -> Moment:
    details = []
    if delivery.state == DeliveryState.SUPPRESSED:
        details.append(_("not to be sent"))
    if delivery.reason:
        details.append(str(Reason(delivery.reason).label))
    if delivery.version is not None:
        details.append(_("wording: version %(number)s") % {"number": delivery.version.number})
    return Moment(at=delivery.created_at, title=_("Planned"), details=tuple(details))


def _tries(delivery: Delivery) -> Iterator[Moment]:
    for row in Attempt.objects.filter(delivery=delivery).order_by("number", "pk")[:SHOWN]:
        outcome = Outcome(row.outcome)
        seconds = number_format(row.duration.total_seconds(), 2)
        details = [_("%(seconds)s s, by %(backend)s") % {"seconds": seconds, "backend": row.backend or "-"}]
        details += [text for text in (row.code, row.detail) if text]
        title = _("Try %(number)s: %(outcome)s") % {"number": row.number, "outcome": outcome.label}
        tone = "good" if outcome in _GOOD else "bad"
        yield Moment(at=row.started_at, title=title, details=tuple(details), tone=tone)


def _feedback(delivery: Delivery) -> Iterator[Moment]:
    for row in ProviderEvent.objects.filter(delivery=delivery).order_by("at", "pk")[:SHOWN]:
        kind = Feedback(row.kind)
        title = _("The provider: %(what)s") % {"what": kind.label}
        details = tuple(text for text in (row.provider, row.code) if text)
        yield Moment(at=row.at, title=title, details=details, tone="good" if kind in _GOOD else "bad")


def _ended(delivery: Delivery) -> Iterator[Moment]:
    state = DeliveryState(delivery.state)
    reason = (str(Reason(delivery.reason).label),) if delivery.reason else ()
    if delivery.finished_at is None:
        title = _("Is being sent") if state == DeliveryState.SENDING else _("Due")
        yield Moment(at=delivery.due_at, title=title, details=reason)
    elif state != DeliveryState.SUPPRESSED:
        tone = {DeliveryState.SENT: "good", DeliveryState.FAILED: "bad", DeliveryState.UNKNOWN: "bad"}.get(state, "")
        title = _("Over: %(state)s") % {"state": state.label}
        yield Moment(at=delivery.finished_at, title=title, details=reason, tone=tone)
