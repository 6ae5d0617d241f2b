"""Call back what waits, delivery by delivery: what staff chose in the log. Whole events are `pipeline.claiming`'s."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count

from notifications.models import Delivery
from notifications.services import logs
from notifications.types import DeliveryState, Reason

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from notifications.services.logs import Asked

#: Rows of one transaction.
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many of what waits have a channel and a template in common."""

    channel: str
    #: Empty: direct deliveries.
    template: str
    number: int


def count(asked: Asked) -> list[Waiting]:
    """Return what `cancel` would find, most numerous first."""
    counted = waiting(asked).order_by().values_list("channel", "template").annotate(Count("pk"))
    numbers: Counter[tuple[str, str]] = Counter()
    for channel, template, number in counted:
        numbers[channel, template or ""] += number
    return [
        Waiting(channel=channel, template=template, number=number)
        for (channel, template), number in numbers.most_common()
    ]


def cancel(asked: Asked, *, now: datetime, limit: int) -> int:
    """Call back at most `limit` of the deliveries that are meant and that nobody has begun to send, the oldest first."""
    cancelled, left = 0, limit
    while left > 0:
        with transaction.atomic():
            rows = waiting(asked).select_for_update(of=("self",), skip_locked=True).order_by("pk")
            pks = list(rows.values_list("pk", flat=True)[: min(BATCH, left)])
            cancelled += _end(pks, now)
        if len(pks) < BATCH:
            break
        left -= len(pks)
    return cancelled


def waiting(asked: Asked) -> QuerySet[Delivery]:
    """Return the deliveries that are meant and that nobody has begun to send."""
    return logs.rows(Delivery, asked).filter(state=DeliveryState.PENDING)


def cancel_one(pk: UUID, *, now: datetime) -> bool:
    """Call one delivery back; False: somebody has begun to send it, or it was over already."""
    return _end([pk], now) == 1


def _end(pks: list[UUID], now: datetime) -> int:
    # The condition is repeated: on SQLite nothing is locked.
    return Delivery.objects.filter(pk__in=pks, state=DeliveryState.PENDING).update(
        state=DeliveryState.CANCELLED, reason=Reason.STAFF_CANCELLED, finished_at=now
    )
