"""Free what dead workers held: leases that ran out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications.models import Delivery, Event
from notifications.pipeline import claiming

if TYPE_CHECKING:
    from datetime import datetime


def run_once(now: datetime, limit: int) -> int:
    """Reclaim at most `limit` events and as many deliveries; return how many rows were freed."""
    return claiming.reclaim(Event, now=now, limit=limit) + claiming.reclaim(Delivery, now=now, limit=limit)
