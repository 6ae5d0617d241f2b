"""Move an event that waits, or call it back with what nobody has begun to send: guarded UPDATEs, whoever holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce

from notifications.models import Delivery, Event
from notifications.types import DeliveryState, EventState, Reason

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def reschedule(event_id: UUID, *, due_at: datetime) -> bool:
    """Move an event that waits, and its end, to another time; False: it was claimed or over already."""
    event = Event.objects.filter(pk=event_id, state=EventState.PENDING).only("due_at", "expires_at").first()
    if event is None:
        return False
    expires_at = None if event.expires_at is None else event.expires_at + (due_at - event.due_at)
    # Compared, too: whoever moved it meanwhile moved its end as well.
    unmoved = Event.objects.filter(pk=event_id, state=EventState.PENDING, due_at=event.due_at)
    return unmoved.update(due_at=due_at, expires_at=expires_at) == 1


def cancel(event_id: UUID, *, now: datetime) -> bool:
    """
    Call an event back, with everything of it that nobody has begun to send; False: nothing was left to cancel.

    A dispatch drain that holds the event finds its lease gone; a delivery already claimed is checked before sending.
    """
    with transaction.atomic():
        stopped, marked = cancel_events(Event.objects.filter(pk=event_id), now=now)
        called_back = 0
        if marked:
            called_back = Delivery.objects.filter(event_id=event_id, state=DeliveryState.PENDING).update(
                state=DeliveryState.CANCELLED, reason=Reason.EVENT_CANCELLED, finished_at=now
            )
    return bool(stopped or called_back)


def cancel_events(events: QuerySet[Event], *, now: datetime) -> tuple[int, int]:
    """Stop those that are not dispatched, mark those that are; return how many of each. In the caller's transaction."""
    # Locked: one that is sent round again between the two statements would be met by neither.
    list(events.select_for_update().order_by("pk").values_list("pk", flat=True))
    waiting = Q(state__in=[EventState.PENDING, EventState.DISPATCHING])
    stopped = events.filter(waiting).update(
        state=EventState.CANCELLED, cancelled_at=now, finished_at=now, lease_token=None, lease_until=None
    )
    # A failed one, too, or it could be sent round again.
    over = Q(state__in=[EventState.DISPATCHED, EventState.FAILED])
    return stopped, events.filter(over).update(cancelled_at=Coalesce("cancelled_at", Value(now)))
