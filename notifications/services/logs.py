"""What staff ask the logs for, and by which index it is found; what has none is looked for bit by bit, newest first."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from notifications import ids
from notifications.models import Broadcast, Delivery, Event, Notification
from notifications.types import DeliveryState, EventState

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

Log = type[Delivery] | type[Event] | type[Notification]

#: How the logs name what is asked for. What one of them does not have, it is not asked for.
_COLUMNS: dict[Log, dict[str, str]] = {
    Delivery: {
        "state": "state", "reason": "reason", "channel": "channel", "template": "template_id", "priority": "priority",
        "category": "category_id", "broadcast": "broadcast_id", "event": "event_id", "notification": "notification_id",
        "recipient": "recipient_id", "about": "notification__about",
    },
    Event: {
        "state": "state", "template": "template_id", "priority": "priority", "source": "source",
        "broadcast": "broadcast_id", "event": "pk", "about": "about",
    },
    Notification: {
        "template": "template_id", "priority": "priority", "category": "category_id", "event": "event_id",
        "notification": "pk", "recipient": "recipient_id", "about": "about",
    },
}  # fmt: skip
#: Each finds few rows, whatever the size of the log, by an index of its own.
_FINDING = ("event", "notification", "recipient", "about")
#: States whose rows have an index of their own: the others are most of all rows, or (held by a drain) a handful.
INDEXED = {
    Delivery: frozenset({
        DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.FAILED, DeliveryState.UNKNOWN,
        DeliveryState.CANCELLED, DeliveryState.EXPIRED,
    }),
    Event: frozenset({EventState.PENDING, EventState.DISPATCHING, EventState.FAILED}),
    Notification: frozenset(),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows of a log are meant; a field left out restricts nothing."""

    state: str | None = None
    reason: str | None = None
    channel: str | None = None
    template: str | None = None
    category: str | None = None
    priority: int | None = None
    source: str | None = None
    broadcast: UUID | None = None
    event: UUID | None = None
    notification: UUID | None = None
    #: Primary key of a user.
    recipient: Any = None
    #: As `orders.order:42`.
    about: str | None = None
    #: They were made at this instant or later.
    since: datetime | None = None
    #: They were made before this instant.
    until: datetime | None = None

    def named(self) -> dict[str, Any]:
        """Return what is asked for but the time."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if value is not None and name not in {"since", "until"}}


def rows(log: Log, asked: Asked) -> QuerySet[Any]:
    """Return the rows of a log that are meant."""
    columns = _COLUMNS[log]
    wanted = {columns[name]: value for name, value in asked.named().items() if name in columns}
    return _in_time(log, asked).filter(**wanted)


def swept(log: Log, asked: Asked) -> QuerySet[Any] | None:
    """Return the rows among which those that are meant must be looked for one by one; None: an index finds them."""
    named = asked.named().keys() & _COLUMNS[log].keys()
    if not named or named.intersection(_FINDING):
        return None
    if asked.state in INDEXED[log]:
        return None if named == {"state"} else _in_time(log, asked).filter(state=asked.state)
    return _in_time(log, asked)


def _in_time(log: Log, asked: Asked) -> QuerySet[Any]:
    """Return the rows that were made in the time asked for: by the primary key."""
    since, until = asked.since, asked.until
    if asked.broadcast is not None:
        since, until = _time_of(asked.broadcast, since, until)
    found: QuerySet[Any] = log._default_manager.all()
    if since is not None:
        found = found.filter(pk__gte=ids.uuid7_at(since))
    return found if until is None else found.filter(pk__lt=ids.uuid7_at(until))


def _time_of(
    broadcast: UUID, since: datetime | None, until: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """Return the time narrowed to that of a broadcast: what is made of it, is made then."""
    row = Broadcast.objects.filter(pk=broadcast).only("created_at", "completed_at").first()
    if row is None:
        return since, until
    # Clocks differ by less than that.
    margin = timedelta(minutes=1)
    since = max(filter(None, (since, row.created_at - margin)))
    if row.completed_at is not None:
        until = min(filter(None, (until, row.completed_at + margin)))
    return since, until
