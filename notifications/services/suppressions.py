"""What staff do about addresses that must not be used: look them up, add one, lift one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from notifications.models import Delivery, ProviderEvent, RecipientSettings, Suppression
from notifications.models.suppressions import address_hashes
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.types import Channel, DeliveryState, Feedback, Reason, SuppressionSource

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from notifications.models.suppressions import SuppressionQuerySet

#: Channels whose addresses are suppressed; those of the others are endpoints, which are disabled.
CHANNELS = (Channel.EMAIL, Channel.SMS)
#: What staff may give as a cause.
CAUSES = (Reason.HARD_BOUNCE, Reason.COMPLAINT, Reason.UNSUBSCRIBED)


def add(channel: str, address: str, *, reason: Reason, now: datetime) -> bool:
    """Suppress an address by hand; return whether it was not before."""
    found = Unusable(channel=channel, address=address, reason=reason)
    return suppress([found], source=SuppressionSource.STAFF, now=now) == 1


def lift(rows: SuppressionQuerySet, *, by: Any, reason: str, now: datetime) -> int:
    """Let these addresses be used again, and note who says so and why; return how many were suppressed."""
    return rows.in_force(now).update(lifted_at=now, lifted_by=by, lift_reason=reason)


def of(recipient: Any) -> SuppressionQuerySet:
    """Return the suppressions of a person: of what happened to them, and of the addresses they have now."""
    email = str(getattr(recipient, get_user_model().get_email_field_name(), "") or "")
    phone = RecipientSettings.objects.filter(recipient=recipient).values_list("phone", flat=True).first() or ""
    mine = Q(recipient=recipient)
    for channel, address in ((Channel.EMAIL, email), (Channel.SMS, phone)):
        mine |= Q(channel=channel, address_hash__in=address_hashes(channel, address) if address else [])
    return Suppression.objects.filter(mine)


def cause(channel: str, address: str, *, at: datetime) -> str:
    """Return why an address must not be used, or must not have been then, in words; empty: nobody knows."""
    row = Suppression.objects.of(channel, address).at(at).first()
    return "" if row is None else said(row)


def evidence(row: Suppression) -> Delivery | None:
    """Return the delivery that a suppression came of, as far as it is on record; None: staff's own, or nobody knows."""
    if row.source == SuppressionSource.STAFF or row.recipient_id is None or not row.address:
        return None
    sent = Delivery.objects.filter(
        recipient=row.recipient_id, channel=row.channel, address=row.address, created_at__lte=row.created_at
    )
    told = Q(bounced_at__isnull=False) | Q(complained_at__isnull=False) | Exists(_told_of(row))
    return sent.filter(told if row.source == SuppressionSource.PROVIDER else Q(state=DeliveryState.FAILED)).first()


def _told_of(row: Suppression) -> QuerySet[ProviderEvent]:
    kinds = [Feedback.FAILED, Feedback.UNSUBSCRIBED]
    return ProviderEvent.objects.filter(delivery=OuterRef("pk"), received_at__lte=row.created_at, kind__in=kinds)


def said(row: Suppression) -> str:
    """Return the cause of a suppression in words."""
    parts = {"reason": Reason(row.reason).label, "source": SuppressionSource(row.source).label, "code": row.code}
    text = _("%(reason)s (%(source)s: %(code)s)") if row.code else _("%(reason)s (%(source)s)")
    return text % parts
