"""Tell a recipient's open pages, once the transaction is committed, that items have changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from notifications import realtime

if TYPE_CHECKING:
    from uuid import UUID

    from notifications.models.inbox import NotificationQuerySet

#: Of more items than these, a page is told to look afresh.
MAX_ITEMS = 20


def announce(items: NotificationQuerySet) -> None:
    """Announce items, as they are found now."""
    found = list(items.order_by("-sort_key").values_list("recipient_id", "pk")[: MAX_ITEMS + 1])
    changed: list[tuple[Any, UUID | None]] = list(found)
    if len(found) > MAX_ITEMS:
        changed = [
            (recipient, None) for recipient in items.order_by().values_list("recipient_id", flat=True).distinct()
        ]
    if changed:
        transaction.on_commit(partial(realtime.publish_all, changed), robust=True)
