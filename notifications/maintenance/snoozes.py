"""Put what was snoozed back on top of its inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications.maintenance.lookout import First
from notifications.models import Notification
from notifications.services import inbox

if TYPE_CHECKING:
    from datetime import datetime


def firsts() -> list[First]:
    return [First(rows=Notification.objects.snoozed(), column="snoozed_until")]


def run_once(now: datetime, limit: int) -> int:
    """Wake at most `limit` items whose snooze is over; return how many."""
    return inbox.wake(now=now, limit=limit)
