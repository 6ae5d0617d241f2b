"""Find what is due and untouched, whatever became of its wake-up, and ring for it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from notifications import conf, wakeups
from notifications.maintenance.lookout import First, Lookout
from notifications.models import Broadcast
from notifications.services import backlog
from notifications.types import BroadcastState

if TYPE_CHECKING:
    from datetime import datetime


def firsts() -> list[First]:
    return [first for firsts in _of_actors().values() for first in firsts]


def run_once(now: datetime, limit: int) -> int:
    """Ring each actor that has something due; return how many. `limit` is the clock's, and never reached."""
    actors = due_actors(now)[:limit]
    for actor in actors:
        wakeups.ring(actor)
    return len(actors)


def due_actors(now: datetime) -> list[str]:
    """Return the actors that have something due, held or not, most urgent first: one index look-up for each line."""
    waiting = _lookout().waiting(now)
    # What was planned for a channel that is no longer there waits for it.
    elsewhere = {wakeups.deliver_actor(channel) for channel in backlog.SENDABLE if channel not in conf.channels()}
    return [actor for actor in _of_actors() if actor in waiting and actor not in elsewhere]


@cache
def _lookout() -> Lookout:
    return Lookout(_of_actors())


@cache
def _of_actors() -> dict[str, list[First]]:
    """Return what each actor works on, most urgent first."""
    lines = [(_actor(line), First(rows=line.pending(), column="due_at")) for line in backlog.LINES]
    pending = Broadcast.objects.filter(state=BroadcastState.PENDING)
    found: dict[str, list[First]] = {actor: [] for actor, _ in lines if actor.startswith("dispatch")}
    found[wakeups.EXPAND] = [First(rows=pending, column="due_at")]
    for actor, first in lines:
        found.setdefault(actor, []).append(first)
    return found


def _actor(line: backlog.Line) -> str:
    return wakeups.dispatch_actor(line.priority) if line.channel is None else wakeups.deliver_actor(line.channel)
