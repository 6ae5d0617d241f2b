"""Put what was snoozed back on top of its inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications.services import inbox

if TYPE_CHECKING:
    from datetime import datetime


def run_once(now: datetime, limit: int) -> int:
    """Wake at most `limit` items whose snooze is over; return how many."""
    return inbox.wake(now=now, limit=limit)
