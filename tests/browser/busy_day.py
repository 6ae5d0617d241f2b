"""What the demo's dashboard has to tell: the counts that workers would have kept of a busy day."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from notifications.models import HourlyCount

HOUR = timedelta(hours=1)
#: Channel → deliveries of the busiest hour.
BUSIEST = {"in_app": 1450, "email": 1200, "sms": 180}
#: Hours in which a provider was away.
TROUBLE = (14, 15)


def write(now: datetime) -> None:
    """Write the counts of the last 24 hours; the one that is under way is left to the demo's own worker."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    for ago in range(1, 24):
        at = hour - ago * HOUR
        # Nobody counts this again: its rows never were.
        HourlyCount.objects.update_or_create(
            hour=at,
            defaults={
                "counted_at": now + timedelta(days=1),
                "deliveries": [line for channel in BUSIEST for line in _deliveries(channel, at)],
                "events": [[1, "dispatched", _number(60, at)], [2, "dispatched", _number(1400, at)]],
            },
        )


def _deliveries(channel: str, at: datetime) -> list[list[object]]:
    number = _number(BUSIEST[channel], at)
    lines: list[list[object]] = [["ORDER_CREATED", channel, 2, "sent", "", number]]
    lines.append(["PAYMENT_FAILED", channel, 1, "sent", "", number // 20])
    if channel == "in_app":
        return lines
    lines.append(["ORDER_CREATED", channel, 2, "suppressed", "category_off", number // 11])
    lines.append(["ORDER_CREATED", channel, 2, "failed", "rejected", number // 160])
    if channel == "sms" and at.hour in TROUBLE:
        lines.append(["ORDER_CREATED", channel, 2, "failed", "retries_exhausted", number // 4])
    return [line for line in lines if line[-1]]


def _number(busiest: int, at: datetime) -> int:
    """Return how many an hour has: few at night, most at noon and in the evening."""
    day = math.sin(math.pi * max(at.hour - 5, 0) / 19)
    return round(busiest * (0.06 + 0.94 * day * (0.8 + 0.2 * math.cos(at.hour * math.pi / 4))))
