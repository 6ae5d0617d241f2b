"""What became of what a service published: states and numbers, nobody's name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count

from notifications.models import Broadcast, Delivery, Event

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from notifications.models import ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An event or a broadcast, and its deliveries counted."""

    id: UUID
    template: str
    state: str
    created_at: datetime
    due_at: datetime
    expires_at: datetime | None
    finished_at: datetime | None
    #: State → number, and reason code → number of those that have one.
    by_state: dict[str, int]
    by_reason: dict[str, int]


def of_key(key: ApiKey, publication_id: UUID) -> Outcome | None:
    """Return what became of it; None: this key did not publish it, or retention took it away."""
    # An event of a broadcast is told of as part of it.
    events = Event.objects.filter(api_key=key, broadcast__isnull=True, emptied_at__isnull=True)
    published: Event | Broadcast | None = events.filter(pk=publication_id).first()
    deliveries = Delivery.objects.filter(event_id=publication_id)
    if published is None:
        published = Broadcast.objects.filter(api_key=key, pk=publication_id).first()
        deliveries = Delivery.objects.filter(broadcast_id=publication_id)
    if published is None:
        return None
    by_state: Counter[str] = Counter()
    by_reason: Counter[str] = Counter()
    for state, reason, number in deliveries.order_by().values_list("state", "reason").annotate(Count("pk")):
        by_state[state] += number
        if reason:
            by_reason[reason] += number
    return Outcome(
        id=published.pk,
        template=published.template_id,
        state=published.state,
        created_at=published.created_at,
        due_at=published.due_at,
        expires_at=published.expires_at,
        finished_at=published.finished_at,
        by_state=dict(by_state),
        by_reason=dict(by_reason),
    )
