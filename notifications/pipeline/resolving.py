"""Settle what was said about an object: nobody needs to read it any more, and nothing more of it is sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models.functions import Coalesce

from notifications import realtime
from notifications.models import Delivery, Event, Notification
from notifications.pipeline import cancelling
from notifications.types import DeliveryState, Reason

if TYPE_CHECKING:
    from datetime import datetime


def resolve(about: str, template: str | None, *, now: datetime) -> int:
    """
    Archive the inbox items about an object, and cancel what of them waits; return how many items and events that were.

    Events before their deliveries, as `cancelling.cancel` does. `template`: those of one kind only.
    """
    meant = {"about": about} if template is None else {"about": about, "template": template}
    with transaction.atomic():
        stopped, _ = cancelling.cancel_events(Event.objects.filter(**meant), now=now)
        open_items = Notification.objects.filter(**meant, archived_at__isnull=True)
        owners = dict(open_items.values_list("pk", "recipient"))
        pks = list(owners)
        Delivery.objects.filter(notification__in=pks, state=DeliveryState.PENDING).update(
            state=DeliveryState.CANCELLED, reason=Reason.RESOLVED, finished_at=now
        )
        archived = open_items.filter(pk__in=pks).update(
            archived_at=now, read_at=Coalesce("read_at", now), seen_at=Coalesce("seen_at", now)
        )
        # Open browsers move what was archived.
        moved = [(recipient, pk) for pk, recipient in owners.items()]
        transaction.on_commit(partial(realtime.publish_all, moved), robust=True)
    return stopped + archived
