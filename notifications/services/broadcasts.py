"""How far a broadcast is: measured from its rows, and kept on it for whoever asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q, Sum

from notifications.models import Broadcast, Delivery, Event, Pause
from notifications.models.broadcasts import OPEN
from notifications.types import DeliveryState, EventState, PauseScope

if TYPE_CHECKING:
    from datetime import datetime

#: Of the rate measured last, and of the one before, half each: it neither jumps nor lags.
_SMOOTHING = 0.5

_SENT = (DeliveryState.SENT, DeliveryState.DIGESTED)
_FAILED = (DeliveryState.FAILED, DeliveryState.UNKNOWN)
_SKIPPED = (DeliveryState.SUPPRESSED, DeliveryState.CANCELLED, DeliveryState.EXPIRED)


def measure(broadcast: Broadcast, *, now: datetime) -> bool:
    """
    Count what came of a broadcast and write it down; False: somebody else measured it meanwhile.

    Once everything of it is over, `completed_at` says so, and pauses of it are lifted.
    """
    before = broadcast.measured_at
    events = _events(broadcast)
    deliveries = dict(_deliveries(broadcast).values_list("state").annotate(number=Count("pk")))
    found: dict[str, Any] = {
        # Retention takes events away while others wait: what was counted before stays counted.
        "told_count": max(broadcast.told_count, events["told"] or 0),
        "unknown_count": max(broadcast.unknown_count, events["unknown"] or 0),
        "inactive_count": max(broadcast.inactive_count, events["inactive"] or 0),
        "planned_count": max(broadcast.planned_count, sum(deliveries.values())),
        "sent_count": _number(deliveries, _SENT),
        "failed_count": _number(deliveries, _FAILED),
        "skipped_count": _number(deliveries, _SKIPPED),
        "measured_at": now,
    }
    over = found["sent_count"] + found["failed_count"] + found["skipped_count"]
    found["rate"] = _rate(broadcast, over, now)
    is_made = broadcast.state not in OPEN
    if is_made and not events["live"] and over == sum(deliveries.values()):
        found["completed_at"] = now
        key = str(broadcast.pk)
        Pause.objects.filter(scope=PauseScope.BROADCAST, key=key, lifted_at__isnull=True).update(lifted_at=now)
    # Compared: a clock that was slower must not write what was true before.
    unmeasured = Broadcast.objects.filter(pk=broadcast.pk, measured_at=before, state=broadcast.state)
    if unmeasured.update(**found) != 1:
        return False
    for name, value in found.items():
        setattr(broadcast, name, value)
    return True


def expected_deliveries(broadcast: Broadcast) -> int | None:
    """Return how many deliveries there will be; None: nobody can tell yet. An estimate until all are told."""
    recipients = broadcast.recipient_count
    if recipients is None:
        return None
    if broadcast.completed_at is not None or broadcast.told_count >= recipients:
        return broadcast.planned_count
    if not broadcast.told_count:
        return None
    return round(broadcast.planned_count * recipients / broadcast.told_count)


def fraction(broadcast: Broadcast) -> float:
    """Return which part of a broadcast is over, from 0 to 1."""
    if broadcast.completed_at is not None:
        return 1.0
    expected = expected_deliveries(broadcast)
    return min(broadcast.over_count / expected, 1.0) if expected else 0.0


def left(broadcast: Broadcast) -> timedelta | None:
    """Return how long it will take at the present rate; None: it is over, stands still, or nobody can tell."""
    expected = expected_deliveries(broadcast)
    if expected is None or broadcast.completed_at is not None or broadcast.rate <= 0:
        return None
    return timedelta(seconds=max(expected - broadcast.over_count, 0) / broadcast.rate)


def _events(broadcast: Broadcast) -> dict[str, Any]:
    """Return the sums of its events, and how many are not over."""
    dispatched = Q(state=EventState.DISPATCHED)
    return Event.objects.filter(broadcast=broadcast).aggregate(
        told=Sum(F("recipient_count") - F("duplicate_count"), filter=dispatched),
        unknown=Sum("unknown_count", filter=dispatched),
        inactive=Sum("inactive_count", filter=dispatched),
        live=Count("pk", filter=Q(state__in=[EventState.PENDING, EventState.DISPATCHING])),
    )


def _deliveries(broadcast: Broadcast) -> Any:
    return Delivery.objects.filter(broadcast_id=broadcast.pk).order_by()


def _number(deliveries: dict[str, int], states: tuple[DeliveryState, ...]) -> int:
    return sum(deliveries.get(state, 0) for state in states)


def _rate(broadcast: Broadcast, over: int, now: datetime) -> float:
    """Return how many deliveries came to their end per second since the last time."""
    since = broadcast.measured_at or broadcast.created_at
    seconds = (now - since).total_seconds()
    if seconds <= 0:
        return broadcast.rate
    latest = max(over - broadcast.over_count, 0) / seconds
    if broadcast.measured_at is None or not broadcast.rate:
        return latest
    return _SMOOTHING * broadcast.rate + (1 - _SMOOTHING) * latest
