"""What connected browsers are told: the announced items and the counts of a whole batch, read in one query each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connections
from django.utils import translation

from notifications.api.listener import frame
from notifications.api.serializers import NotificationSerializer
from notifications.models import Notification
from notifications.services.counts import counts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    #: Recipient → the notifications announced; None: too many to name.
    Batch = Mapping[str, Set[UUID] | None]


def build(batch: Batch, languages: Mapping[str, Set[str]]) -> dict[tuple[str, str], bytes]:
    """
    Return what each recipient's browsers are to be sent in each language: (recipient, language) → frames.

    An item is sent to the recipient its row names, whoever announced it to whom. `languages`: language → recipients.
    For a thread of its own: its connection is given back.
    """
    try:
        counts = _counts(batch)
        rows = _rows(batch)
    finally:
        connections.close_all()
    told: dict[tuple[str, str], bytes] = {}
    as_listed = NotificationSerializer().to_representation
    for language, listening in languages.items():
        with translation.override(language):
            for recipient in batch.keys() & listening:
                items = {row.pk: as_listed(row) for row in rows.get(recipient, ())}
                told[recipient, language] = b"".join(_frames(batch[recipient], items, counts[recipient]))
    return told


def _frames(announced: Set[UUID] | None, items: Mapping[UUID, Any], counts: Any) -> Iterable[bytes]:
    if announced is None:
        yield frame("refresh", {"counts": counts})
        return
    for pk in announced - items.keys():
        yield frame("removed", {"id": str(pk), "counts": counts})
    for item in items.values():
        yield frame("item", {"item": item, "counts": counts})


def _rows(batch: Batch) -> dict[str, list[Notification]]:
    """Return the announced items that their recipients can see, oldest first."""
    announced = [pk for pks in batch.values() if pks for pk in pks]
    found: dict[str, list[Notification]] = {}
    if not announced:
        return found
    rows = Notification.objects.listed().filter(pk__in=announced, recipient__in=list(batch))
    for row in rows.order_by("sort_key"):
        recipient = str(row.recipient_id)
        if row.pk in (batch[recipient] or ()):
            found.setdefault(recipient, []).append(row)
    return found


def _counts(batch: Batch) -> dict[str, Any]:
    to_python = get_user_model()._meta.pk.to_python
    return {str(pk): counts for pk, counts in counts_of(to_python(recipient) for recipient in batch).items()}
