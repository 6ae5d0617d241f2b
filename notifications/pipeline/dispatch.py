"""Events → notifications and deliveries: claim a batch, plan it, write everything in one transaction."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from notifications import clock, conf, realtime, signals, wakeups
from notifications.models import Event
from notifications.pipeline import bulk, capping, claiming, digesting, pausing, sizing
from notifications.pipeline.planning import plan_events
from notifications.types import DeliveryState, EventState, Priority

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from notifications.models import Notification
    from notifications.pipeline.claiming import Claim
    from notifications.pipeline.planning import Planned


#: Seconds a batch should take. What is more urgent has drains of its own, so it does not wait for that long.
MOMENT = 1.0
#: All dispatch drains do the same.
_SIZED = "dispatch"


def dispatch_batch(priority: Priority, *, more: Callable[[], None]) -> int:
    """Dispatch a batch of due events of this priority and above; return how many were claimed."""
    config, now = conf.current(), clock.now()
    held = pausing.current(now)
    if held.everything:
        return 0
    levels = [level for level in Priority if level <= priority]
    # Counted in recipients: an event may have fifty, and their number is what it takes time and memory for.
    size = sizing.size(_SIZED, most=config.dispatch_batch)
    claim = claiming.claim(
        Event,
        priorities=levels,
        now=now,
        lease=config.lease_time,
        limit=size,
        templates_held=held.templates,
        broadcasts_held=held.broadcasts,
    )
    if claim.more:
        more()
    if claim.rows:
        recipients = sum(len(event.recipients) for event in claim.rows)
        with sizing.measured(_SIZED, len(claim.rows), full=claim.full, weight=recipients, moment=MOMENT):
            _dispatch(claim)
    return len(claim.rows)


def _dispatch(claim: Claim[Event]) -> None:
    """Dispatch the batch; if that raises, each event alone, so that the one that cannot be done fails alone."""
    try:
        _write(plan_events(claim.rows, now=clock.now()), claim.token)
    except claiming.DATABASE_TROUBLE:
        raise
    except Exception as e:  # noqa: BLE001 - the edge: one event's error must not keep its neighbours
        if len(claim.rows) > 1:
            for event in claim.rows:
                _dispatch(claiming.Claim(token=claim.token, rows=[event], full=False, more=False))
            return
        _fail(claim.rows[0], claim.token, e)


def _write(batch: list[Planned], token: UUID) -> None:
    """Write a planned batch in one transaction, less the events that were cancelled or taken over meanwhile."""
    with transaction.atomic():
        ours = set(claiming.held(Event, [planned.event.pk for planned in batch], token).values_list("pk", flat=True))
        kept = [planned for planned in batch if planned.event.pk in ours]
        capping.apply(kept, now=clock.now())
        digesting.collect(kept, now=clock.now())
        notifications = [told.notification for planned in kept for told in planned.told]
        deliveries = [row for planned in kept for told in planned.told for row in told.deliveries]
        bulk.insert(notifications)
        bulk.insert(deliveries)
        _close(kept, token)
        waiting = {
            (row.channel, row.due_at)
            for row in deliveries
            if row.state == DeliveryState.PENDING and row.digest_id is None
        }
        for channel, due_at in waiting:
            ring = partial(wakeups.ring, wakeups.deliver_actor(channel), due_at)
            transaction.on_commit(ring, robust=True)
        transaction.on_commit(partial(_announce, notifications), robust=True)
    signals.events_dispatched.send(Event, events=len(kept), notifications=len(notifications), planned=len(deliveries))


def _announce(notifications: list[Notification]) -> None:
    """Have open browsers show what is new in the inbox."""
    realtime.publish_all((row.recipient_id, row.pk) for row in notifications if row.listed_at is not None)


#: What closing an event writes.
_CLOSED = (
    "state", "finished_at", "recipient_count", "unknown_count", "inactive_count", "planned_count", "lease_token",
    "lease_until", "claims",
)  # fmt: skip


def _close(kept: list[Planned], token: UUID) -> None:
    now = clock.now()
    for planned in kept:
        event = planned.event
        event.state, event.finished_at = planned.state, now
        event.recipient_count = len(event.recipients) + event.duplicate_count
        event.unknown_count, event.inactive_count = planned.unknown_count, planned.inactive_count
        event.planned_count = sum(len(told.deliveries) for told in planned.told)
        event.lease_token = event.lease_until = None
        event.claims = 0
    bulk.update([planned.event for planned in kept], _CLOSED, token=token)


def _fail(event: Event, token: UUID, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}"[:1000]
    if claiming.settle(Event, event.pk, token, now=clock.now(), state=EventState.FAILED, last_error=text):
        signals.event_failed.send(Event, event_id=event.pk, error=error)
