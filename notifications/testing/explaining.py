"""A failed assertion explains itself: what was sent to somebody, what was not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications import clock
from notifications.models import Broadcast, Delivery, Event
from notifications.types import BroadcastState, DeliveryState, EventState, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from notifications.testing.recording import Sent

#: Lines of what was not sent; of the rest, the number.
SHOWN = 20


def story(recipient: str, sent: Iterable[Sent], zone: ZoneInfo) -> str:
    """Return what was sent to a recipient (a primary key as text), and what was not, with its reason."""
    got = [
        f"{one.channel} {one.template} {one.title or one.body!r} at {instant(one.at, zone)}"
        for one in sent
        if one.recipient is not None and str(one.recipient.pk) == recipient
    ]
    return f"{_listed('Sent to them', got)}\n{_listed('Not sent', _not_sent(recipient, zone))}"


def instant(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as clocks in the zone show it."""
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M:%S}"


def _listed(heading: str, lines: list[str]) -> str:
    if not lines:
        return f"{heading}: nothing."
    shown = lines[:SHOWN]
    if len(lines) > SHOWN:
        shown.append(f"and {len(lines) - SHOWN} more")
    return f"{heading}:" + "".join(f"\n  {line}" for line in shown)


def _not_sent(recipient: str, zone: ZoneInfo) -> list[str]:
    deliveries = Delivery.objects.filter(recipient__in=[recipient]).exclude(state=DeliveryState.SENT).order_by("pk")
    events = Event.objects.exclude(state=EventState.DISPATCHED).order_by("pk")
    broadcasts = Broadcast.objects.exclude(state=BroadcastState.EXPANDED).order_by("pk")
    return [
        *(
            f"{row.channel} {row.template_id or ''}: {_state(row, zone)}{_why(row.reason)}{_error(row.last_error)}"
            for row in deliveries
        ),
        *(
            f"the event {row.template_id}: {_state(row, zone)}{_error(row.last_error)}"
            for row in events
            if recipient in row.recipients
        ),
        *(
            f"the broadcast {row.template_id} to {_whom(row)}: {_state(row, zone)}{_error(row.last_error)}"
            for row in broadcasts
        ),
    ]


def _state(row: Delivery | Event | Broadcast, zone: ZoneInfo) -> str:
    if row.state != DeliveryState.PENDING:
        return row.state
    if row.due_at > clock.now():
        return f"pending until {instant(row.due_at, zone)}"
    return f"due since {instant(row.due_at, zone)}; run the timeline, or look for a pause"


def _whom(row: Broadcast) -> str:
    return repr(row.audience) if row.audience else "a list"


def _why(reason: str) -> str:
    return f", {reason} ({Reason(reason).label})" if reason else ""


def _error(text: str) -> str:
    return f": {text}" if text else ""
