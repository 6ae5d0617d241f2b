"""Free what dead workers held: leases that ran out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications.maintenance.lookout import First
from notifications.models import Broadcast, Delivery, Event
from notifications.pipeline import claiming

if TYPE_CHECKING:
    from datetime import datetime


def firsts() -> list[First]:
    return [First(rows=claiming.leased(model), column="lease_until") for model in (Event, Broadcast, Delivery)]


def run_once(now: datetime, limit: int) -> int:
    """Reclaim at most `limit` events, as many broadcasts and as many deliveries; return how many rows were freed."""
    freed = claiming.reclaim(Event, now=now, limit=limit)
    freed += claiming.reclaim(Broadcast, now=now, limit=limit)
    return freed + claiming.reclaim(Delivery, now=now, limit=limit)
