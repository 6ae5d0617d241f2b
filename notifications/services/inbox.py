"""What people do in their inbox. First timestamps are kept; every call may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from notifications import ids
from notifications.exceptions import WrongTime
from notifications.models import Delivery, Notification
from notifications.services.live import announce
from notifications.types import DeliveryState, InboxStatus, Priority, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from notifications.models.inbox import NotificationQuerySet

#: The longest snooze.
MAX_SNOOZE = timedelta(days=366)

#: What one mark sets: column → keep the first timestamp (True), or clear (False). Archived is read, and read is seen:
#: the database holds to that, so one condition tells what a mark changes.
MARKS: dict[str, dict[str, bool]] = {
    "seen": {"seen_at": True},
    "read": {"seen_at": True, "read_at": True},
    "unread": {"read_at": False, "archived_at": False},
    "archived": {"seen_at": True, "read_at": True, "archived_at": True},
    "unarchived": {"archived_at": False},
}
_CHANGES: dict[str, dict[str, bool]] = {
    # What is unseen is unread: said, so that the index of unread items serves.
    "seen": {"seen_at__isnull": True, "read_at__isnull": True},
    "read": {"read_at__isnull": True},
    "unread": {"read_at__isnull": False},
    "archived": {"archived_at__isnull": True},
    "unarchived": {"archived_at__isnull": False},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What part of an inbox is meant. Empty, or None: whatever it is."""

    #: None: the inbox, less what is archived or snoozed.
    status: InboxStatus | None = None
    category: str = ""
    template: str = ""
    priority: Priority | None = None
    about: str = ""
    #: Aware; from this instant on, and before this one.
    created_after: datetime | None = None
    created_before: datetime | None = None


def of(user: Any) -> NotificationQuerySet:
    """Return all a user can see: the inbox, the archive, and what is snoozed."""
    return Notification.objects.filter(recipient=user).listed()


def matching(user: Any, wanted: Filter) -> NotificationQuerySet:
    """Return a part of a user's inbox."""
    items = _with_status(of(user), wanted.status)
    exact = {
        "category": wanted.category,
        "template": wanted.template,
        "about": wanted.about,
        "created_at__gte": wanted.created_after,
        "created_at__lt": wanted.created_before,
    }
    items = items.filter(**{name: value for name, value in exact.items() if value})
    return items if wanted.priority is None else items.filter(priority=wanted.priority)


def by_ids(user: Any, given: Iterable[UUID]) -> NotificationQuerySet:
    """Return the user's own among these items."""
    return of(user).filter(pk__in=list(given))


def up_to(items: NotificationQuerySet, before: UUID) -> NotificationQuerySet:
    """Return the items up to and including the sort key `before`: not what came after."""
    return items.filter(sort_key__lte=before)


def mark(items: NotificationQuerySet, mark_as: str, *, now: datetime) -> int:
    """
    Mark items as one of `MARKS`; return how many changed. What is snoozed stays as it is.

    What was to be sent by another channel only if it is not read here is cancelled in the same transaction.
    """
    columns = MARKS[mark_as]
    changes = {column: Coalesce(F(column), now) if is_set else None for column, is_set in columns.items()}
    awake = items.filter(snoozed_until__isnull=True)
    with transaction.atomic():
        if columns.get("read_at"):
            _call_off_escalations(awake, now=now)
        announce(awake.filter(**_CHANGES[mark_as]))
        return awake.filter(**_CHANGES[mark_as]).update(**changes)


def snooze(items: NotificationQuerySet, until: datetime, *, now: datetime) -> int:
    """
    Take items out of the inbox until an aware instant; return how many that were.

    Raise `WrongTime` for an instant that is over, or over a year away.
    """
    if not now < until <= now + MAX_SNOOZE:
        raise WrongTime(f"The snooze would end at {until.isoformat()}; pass an instant within the year to come.")
    with transaction.atomic():
        announce(items)
        return items.update(snoozed_until=until, seen_at=Coalesce(F("seen_at"), now))


def unsnooze(items: NotificationQuerySet) -> int:
    """Put items back where they were; return how many were snoozed."""
    with transaction.atomic():
        announce(items.snoozed())
        return items.filter(snoozed_until__isnull=False).update(snoozed_until=None)


def wake(*, now: datetime, limit: int) -> int:
    """Put what was snoozed until now on top of its inbox, unread, at most `limit` items; return how many."""
    with transaction.atomic():
        due = Notification.objects.snoozed().filter(snoozed_until__lte=now).order_by("snoozed_until")
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        items = list(due[:limit])
        for item in items:
            item.sort_key, item.listed_at = ids.uuid7(), now
            item.snoozed_until = item.seen_at = item.read_at = item.archived_at = None
        Notification.objects.bulk_update(
            items, ["sort_key", "listed_at", "snoozed_until", "seen_at", "read_at", "archived_at"]
        )
        announce(Notification.objects.filter(pk__in=[item.pk for item in items]))
    return len(items)


def hide(items: NotificationQuerySet, *, now: datetime) -> int:
    """Take items out of the inbox for good, as their recipient wishes; return how many that were."""
    with transaction.atomic():
        _call_off_escalations(items, now=now)
        announce(items)
        return items.update(hidden_at=now)


def _with_status(items: NotificationQuerySet, status: InboxStatus | None) -> NotificationQuerySet:
    match status:
        case InboxStatus.SNOOZED:
            return items.snoozed()
        case InboxStatus.ARCHIVED:
            return items.filter(archived_at__isnull=False, snoozed_until__isnull=True)
        case InboxStatus.UNREAD | InboxStatus.READ:
            return items.current().filter(read_at__isnull=status == InboxStatus.UNREAD)
    return items.current()


def _call_off_escalations(items: NotificationQuerySet, *, now: datetime) -> None:
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING, reason=Reason.ESCALATION)
    # Only of what is unread: the others' were called off when they were read. Of a large inbox that is little.
    waiting.filter(notification__in=items.unread().values("pk")).update(
        state=DeliveryState.CANCELLED, reason=Reason.READ, finished_at=now
    )
