"""Find what is due and untouched, whatever became of its wake-up, and ring for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications import conf, wakeups
from notifications.models import Broadcast, Delivery, Event
from notifications.types import BroadcastState, DeliveryState, EventState, Priority

if TYPE_CHECKING:
    from datetime import datetime


def run_once(now: datetime, limit: int) -> int:
    """Ring each actor that has something due; return how many. `limit` is the clock's, and never reached."""
    actors = due_actors(now)[:limit]
    for actor in actors:
        wakeups.ring(actor)
    return len(actors)


def due_actors(now: datetime) -> list[str]:
    """Return the actors that have something due, most urgent first: one index look-up each."""
    events = Event.objects.filter(state=EventState.PENDING, due_at__lte=now)
    deliveries = Delivery.objects.filter(state=DeliveryState.PENDING, digest_id__isnull=True, due_at__lte=now)
    actors = [wakeups.dispatch_actor(priority) for priority in Priority if events.filter(priority=priority).exists()]
    if Broadcast.objects.filter(state=BroadcastState.PENDING, due_at__lte=now).exists():
        actors.append(wakeups.EXPAND)
    # Priority is part of the index: asked without it, the database would read every waiting row.
    actors += [
        wakeups.deliver_actor(channel)
        for channel in conf.channels()
        if deliveries.filter(channel=channel, priority__in=Priority.values).exists()
    ]
    return actors
