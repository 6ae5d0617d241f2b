"""End what is too late to be worth sending, also while it waits for a later try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications.maintenance.lookout import First
from notifications.models import Broadcast, Delivery, Event
from notifications.pipeline import claiming

if TYPE_CHECKING:
    from datetime import datetime


def firsts() -> list[First]:
    return [First(rows=claiming.ending(model), column="expires_at") for model in (Event, Broadcast, Delivery)]


def run_once(now: datetime, limit: int) -> int:
    """Expire at most `limit` events, as many broadcasts and as many deliveries; return how many rows ended."""
    return claiming.expire(now=now, limit=limit)
