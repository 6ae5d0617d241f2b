"""
Every Dramatiq actor, and nothing else.

A message is a wake-up: it says that there is work, never which. Queue and actor have the same name; all actors of a
queue have one Dramatiq priority, because it orders only what a worker already holds.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import dramatiq

from notifications import conf, wakeups
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.pipeline.draining import drain
from notifications.types import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifications.pipeline.draining import Step

#: Dramatiq's own priority of the deliver actors: dispatch goes first, or new urgent events would wait for old ones.
DELIVER_PRIORITY = 10


def steps() -> dict[str, Step]:
    """Return what each actor does, by actor name: the worker's clock runs the same when no broker answers."""
    dispatching: dict[str, Step] = {
        wakeups.dispatch_actor(priority): partial(dispatch_batch, priority) for priority in Priority
    }
    delivering: dict[str, Step] = {
        wakeups.deliver_actor(channel): partial(deliver_batch, channel) for channel in conf.channels()
    }
    return dispatching | delivering


def declare() -> None:
    """Declare one actor for each priority and each configured channel, at start-up."""
    dispatch_priorities = {wakeups.dispatch_actor(priority): priority.value for priority in Priority}
    for name, step in steps().items():
        priority = dispatch_priorities.get(name, DELIVER_PRIORITY)
        declare_one = dramatiq.actor(actor_name=name, queue_name=name, priority=priority)
        declare_one(_actor(name, step))


def _actor(name: str, step: Step) -> Callable[[], None]:
    def actor() -> None:
        drain(name, step)

    return actor
