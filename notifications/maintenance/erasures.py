"""Carry out the erasures that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications.maintenance.lookout import First
from notifications.services import erasing

if TYPE_CHECKING:
    from datetime import datetime


def firsts() -> list[First]:
    return [First(rows=erasing.open_ones(), column="requested_at")]


def run_once(now: datetime, limit: int) -> int:
    """Do a bit of the erasure that waits longest; return `limit` if there is more that need not wait, or else 0."""
    oldest = erasing.open_ones().order_by("pk")
    # One that has to wait for a provider does not hold up the next.
    return max((limit for erasure in oldest[:10] if erasing.proceed(erasure, now=now, limit=limit)), default=0)
