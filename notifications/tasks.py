"""
Every Dramatiq actor, and nothing else.

A message is a wake-up: it says that there is work, never which. Queue and actor have the same name; all actors of a
queue have one Dramatiq priority, because it orders only what a worker already holds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import dramatiq
from dramatiq.middleware import CurrentMessage

from notifications import conf, ids, wakeups
from notifications.pipeline.broadcasting import expand_batch
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.direct import accept
from notifications.pipeline.dispatch import dispatch_batch
from notifications.pipeline.draining import drain
from notifications.types import Channel, Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifications.pipeline.draining import Step

#: Where producers of the former system send SEND_EMAIL and SEND_SMS.
LEGACY_QUEUE, LEGACY_RETRIES = "legacy", 20

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
    return dispatching | {wakeups.EXPAND: expand_batch} | delivering


def declare() -> None:
    """Declare one actor for each priority and each configured channel, at start-up."""
    dispatch_priorities = {wakeups.dispatch_actor(priority): priority.value for priority in Priority}
    for name, step in steps().items():
        priority = dispatch_priorities.get(name, DELIVER_PRIORITY)
        declare_one = dramatiq.actor(actor_name=name, queue_name=name, priority=priority)
        declare_one(_actor(name, step))
    for channel in (Channel.EMAIL, Channel.SMS):
        # Here the message is the work, so it is tried again until the database has it.
        declare_legacy = dramatiq.actor(
            actor_name=f"SEND_{channel.upper()}", queue_name=LEGACY_QUEUE, max_retries=LEGACY_RETRIES, min_backoff=2000
        )
        declare_legacy(_legacy_actor(channel))


def _actor(name: str, step: Step) -> Callable[[], None]:
    def actor() -> None:
        drain(name, step)

    return actor


def _dated_id(message: dramatiq.Message[Any]) -> UUID:
    """Return the id of the delivery: the message's own does not sort by time, as the log and retention want it."""
    sent_at = datetime.fromtimestamp(message.message_timestamp / 1000, tz=UTC)
    return ids.dated(UUID(message.message_id), sent_at)


def _legacy_actor(channel: Channel) -> Callable[..., None]:
    def actor(payload: Any = None, **fields: Any) -> None:
        message = CurrentMessage.get_current_message()
        message_id = ids.uuid7() if message is None else _dated_id(message)
        accept(channel, fields if payload is None else payload, message_id=message_id)

    return actor
