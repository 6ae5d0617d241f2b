"""What staff do about addresses that must not be used: look them up, add one, lift one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from notifications.models import Suppression
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.types import Channel, Reason, SuppressionSource

if TYPE_CHECKING:
    from datetime import datetime

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


def cause(channel: str, address: str, *, at: datetime) -> str:
    """Return why an address must not be used, or must not have been then, in words; empty: nobody knows."""
    row = Suppression.objects.of(channel, address).at(at).first()
    return "" if row is None else said(row)


def said(row: Suppression) -> str:
    """Return the cause of a suppression in words."""
    parts = {"reason": Reason(row.reason).label, "source": SuppressionSource(row.source).label, "code": row.code}
    text = _("%(reason)s (%(source)s: %(code)s)") if row.code else _("%(reason)s (%(source)s)")
    return text % parts
