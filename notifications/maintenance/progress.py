"""Measure the broadcasts that are under way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F, Q, QuerySet

from notifications.maintenance.lookout import First
from notifications.models import Broadcast
from notifications.services import broadcasts

if TYPE_CHECKING:
    from datetime import datetime

#: Between two measurements of a broadcast, whoever makes them.
EVERY = timedelta(seconds=4)
#: Broadcasts of one round: each is counted from its rows.
AT_ONCE = 20


def firsts() -> list[First]:
    return [First(rows=_open(), column="due_at")]


def run_once(now: datetime, limit: int) -> int:
    """Measure at most `limit` broadcasts, those first that were not measured for longest; return how many."""
    stale = _open().filter(due_at__lte=now).filter(Q(measured_at__isnull=True) | Q(measured_at__lte=now - EVERY))
    rows = stale.order_by(F("measured_at").asc(nulls_first=True))[: min(limit, AT_ONCE)]
    return sum(broadcasts.measure(row, now=now) for row in rows)


def _open() -> QuerySet[Broadcast]:
    return Broadcast.objects.filter(completed_at__isnull=True)
