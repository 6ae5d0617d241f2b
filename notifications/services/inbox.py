"""What people do in their inbox. First timestamps are kept; every call may be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce

from notifications.models import Delivery, Notification
from notifications.types import DeliveryState, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from notifications.models.inbox import NotificationQuerySet

#: Counts stop here: the bell shows "99+", and nobody waits for a large COUNT.
CAP = 99

#: What one mark sets: column → keep the first timestamp (True), or clear (False). Read implies seen.
MARKS: dict[str, dict[str, bool]] = {
    "seen": {"seen_at": True},
    "read": {"seen_at": True, "read_at": True},
    "unread": {"read_at": False},
}


def of(user: Any) -> NotificationQuerySet:
    """Return a user's inbox."""
    return Notification.objects.filter(recipient=user).listed()


def mark(items: QuerySet[Notification], mark_as: str, *, now: datetime) -> int:
    """
    Mark items as `seen`, `read` or `unread`; return how many changed.

    What was to be sent by another channel only if it is not read here is cancelled in the same transaction.
    """
    columns = MARKS[mark_as]
    # An item changes if any of the columns is not yet as it shall be.
    differs = Q(pk__in=[])
    for column, is_set in columns.items():
        differs |= Q(**{f"{column}__isnull": is_set})
    changes = {column: Coalesce(F(column), now) if is_set else None for column, is_set in columns.items()}
    with transaction.atomic():
        changed = items.filter(differs).update(**changes)
        if columns.get("read_at"):
            waiting = Delivery.objects.filter(state=DeliveryState.PENDING, reason=Reason.ESCALATION)
            waiting.filter(notification__in=items.values("pk")).update(
                state=DeliveryState.CANCELLED, reason=Reason.READ, finished_at=now
            )
    return changed


def chosen(user: Any, *, ids: Iterable[UUID] | None = None, before: UUID | None = None) -> NotificationQuerySet:
    """Return the items with these ids, or all up to and including the sort key `before`: not what came after."""
    items = of(user)
    if ids is not None:
        return items.filter(pk__in=list(ids))
    return items if before is None else items.filter(sort_key__lte=before)


def counts(user: Any) -> dict[str, Any]:
    """Return the unseen and unread items, each counted up to `cap`, and the same by category."""
    unread = of(user).unread()
    totals = {"unseen": unread.unseen()[:CAP].count(), "unread": unread[:CAP].count()}
    newest = unread.order_by("-sort_key")[: CAP * 10]
    by_category = (
        Notification.objects.filter(pk__in=newest.values("pk"))
        .order_by()
        .values("category_id")
        .annotate(unread=Count("pk"), unseen=Count("pk", filter=Q(seen_at__isnull=True)))
    )
    return {
        **totals,
        "cap": CAP,
        "by_category": {
            row["category_id"]: {"unseen": min(row["unseen"], CAP), "unread": min(row["unread"], CAP)}
            for row in by_category
        },
    }
