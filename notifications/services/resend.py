"""Say something once more: a new event like that of a delivery, for its recipient and by its channel."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from notifications.models import Delivery, Event
from notifications.pipeline import outbox
from notifications.pipeline.drafting import draft
from notifications.pipeline.recipients import chunks
from notifications.types import Source

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.values import PublishedBatch

#: What the idempotency keys of events begin with that say something once more: `resent:<delivery>:<token>`.
PREFIX = "resent"


class Obstacle(TextChoices):
    """Why something cannot be said once more."""

    DIRECT = "direct", _("it was sent to an address without a user, or together with others: no event stands for it")
    NOBODY = "nobody", _("its recipient is gone")
    CONTENT_GONE = "content_gone", _("the variables of its event are no longer kept")


class NotPossible(Exception):
    """It cannot be said once more; `obstacle` says why."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(str(obstacle.label))
        self.obstacle = obstacle


def obstacle(delivery: Delivery) -> Obstacle | None:
    """Return what keeps a delivery from being said once more. None: nothing."""
    try:
        _event_of(delivery)
    except NotPossible as e:
        return e.obstacle
    return None


def resend(delivery: Delivery, *, token: UUID, now: datetime) -> PublishedBatch:
    """
    Publish an event like the delivery's, for its recipient, by its channel; the same token twice is one event.

    Every rule holds anew: who has switched it off does not get it. Raise `NotPossible`, or the `PublishError` that says
    what the template declares today and the old event does not have.
    """
    event = _event_of(delivery)
    drafted = draft(
        event.template_id,
        now=now,
        variables=event.variables,
        priority=event.priority,
        action_url=event.action_url,
        action_text=event.action_text,
        channels=[delivery.channel],
        about=event.about,
        idempotency_key=f"{PREFIX}:{delivery.pk}:{token}",
        source=Source.ADMIN,
    )
    with transaction.atomic():
        return outbox.insert(drafted, chunks([str(delivery.recipient_id)], size=1))


def resent_from(event: Event) -> UUID | None:
    """Return the delivery that an event says once more. None: it is no such event."""
    prefix, _colon, rest = (event.idempotency_key or "").partition(":")
    if prefix != PREFIX:
        return None
    try:
        return UUID(rest.partition(":")[0])
    except ValueError:
        return None


def _event_of(delivery: Delivery) -> Event:
    if delivery.event_id is None or delivery.content is not None:
        raise NotPossible(Obstacle.DIRECT)
    if delivery.recipient_id is None:
        raise NotPossible(Obstacle.NOBODY)
    event = Event.objects.filter(pk=delivery.event_id, emptied_at__isnull=True).first()
    if event is None:
        raise NotPossible(Obstacle.CONTENT_GONE)
    return event
