"""What connected browsers are told: the announced items and the counts of a whole batch, read in one query each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connections
from rest_framework.renderers import JSONRenderer

from notifications.api.listener import frame
from notifications.api.serializers import NotificationSerializer
from notifications.models import Notification
from notifications.services import inbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    #: Recipient → the notifications announced; None: too many to name.
    Batch = Mapping[str, Set[UUID] | None]


def build(batch: Batch) -> dict[str, bytes]:
    """
    Return what each recipient's browsers are to be sent. For a thread of its own: its connection is given back.

    An item is sent to the recipient its row names, whoever announced it to whom.
    """
    try:
        counts = _counts(batch)
        items = _items(batch)
    finally:
        connections.close_all()
    return {
        recipient: b"".join(_frames(batch[recipient], items.get(recipient, {}), counts[recipient]))
        for recipient in batch
        if recipient in counts
    }


def _frames(announced: Set[UUID] | None, items: Mapping[UUID, Any], counts: Any) -> Iterable[bytes]:
    if announced is None:
        yield frame("refresh", {"counts": counts})
        return
    for pk in announced - items.keys():
        yield frame("removed", {"id": str(pk), "counts": counts})
    for item in items.values():
        yield frame("item", {"item": item, "counts": counts})


def _items(batch: Batch) -> dict[str, dict[UUID, Any]]:
    """Return the announced items that are in the inbox, as the list shows them, oldest first."""
    announced = [pk for pks in batch.values() if pks for pk in pks]
    found: dict[str, dict[UUID, Any]] = {}
    if not announced:
        return found
    rows = list(Notification.objects.listed().filter(pk__in=announced, recipient__in=list(batch)).order_by("sort_key"))
    shown = json.loads(JSONRenderer().render(NotificationSerializer(rows, many=True).data))
    for row, item in zip(rows, shown, strict=True):
        recipient = str(row.recipient_id)
        if row.pk in (batch[recipient] or ()):
            found.setdefault(recipient, {})[row.pk] = item
    return found


def _counts(batch: Batch) -> dict[str, Any]:
    users = get_user_model()._default_manager.filter(pk__in=list(batch))
    return {str(user.pk): inbox.counts(user) for user in users}
