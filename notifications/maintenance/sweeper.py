"""Find what is due and untouched, whatever became of its wake-up, and ring for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications import conf, wakeups
from notifications.maintenance.lookout import First
from notifications.models import Broadcast
from notifications.services import backlog
from notifications.types import BroadcastState

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


def firsts() -> list[First]:
    lines = [line.pending() for line in backlog.LINES]
    return [First(rows=rows, column="due_at") for rows in (*lines, _broadcasts())]


def run_once(now: datetime, limit: int) -> int:
    """Ring each actor that has something due; return how many. `limit` is the clock's, and never reached."""
    actors = due_actors(now)[:limit]
    for actor in actors:
        wakeups.ring(actor)
    return len(actors)


def due_actors(now: datetime) -> list[str]:
    """Return the actors that have something due, most urgent first: one index look-up for each line."""
    due = backlog.due_lines(now)
    actors = [wakeups.dispatch_actor(line.priority) for line in due if line.channel is None]
    if _broadcasts().filter(due_at__lte=now).exists():
        actors.append(wakeups.EXPAND)
    channels = {line.channel for line in due}
    return actors + [wakeups.deliver_actor(channel) for channel in conf.channels() if channel in channels]


def _broadcasts() -> QuerySet[Broadcast]:
    return Broadcast.objects.filter(state=BroadcastState.PENDING)
