"""
Named audiences → events, chunk by chunk; and calling a broadcast back.

A step makes some events and moves the cursor behind them, in one transaction: a crash leaves both or neither. Who
belongs to an audience is bounded when its expansion begins, so that it comes to an end.
"""

from __future__ import annotations

import math
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce

from notifications import clock, conf, registry, signals, wakeups
from notifications.models import Broadcast, Delivery, Event
from notifications.models.broadcasts import OPEN
from notifications.pipeline import cancelling, claiming, outbox, pausing
from notifications.pipeline.people import wanted
from notifications.pipeline.recipients import Chunk, users_of
from notifications.types import BroadcastState, DeliveryState, Priority, Reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from notifications.pipeline.pausing import Held

#: Events of one step: what a crash repeats, and how long a row of the broadcast is locked.
EVENTS_PER_STEP = 100
#: Deliveries that are called back in one transaction.
CANCEL_ROWS = 1000

_OPEN = Q(state__in=OPEN)


def expand_batch(*, more: Callable[[], None]) -> int:
    """Take one broadcast a step further; return how many were claimed."""
    config, now = conf.current(), clock.now()
    held = pausing.current(now)
    if held.everything:
        return 0
    _admit(held, now)
    claim = claiming.claim(
        Broadcast,
        priorities=list(Priority),
        now=now,
        lease=config.lease_time,
        limit=1,
        templates_held=held.templates,
        broadcasts_held=held.broadcasts,
    )
    for broadcast in claim.rows:
        # Another drain may take another one further meanwhile.
        more()
        _expand(broadcast, claim.token)
    return len(claim.rows)


def cancel(broadcast_id: UUID, *, now: datetime) -> bool:
    """
    Call a broadcast back, with everything of it that nobody has begun to send; False: nothing was left to cancel.

    Its events first, in one transaction: from then on nobody begins a delivery of them. Those are then settled bit by
    bit; one that a drain comes upon before is settled by it.
    """
    waiting = Delivery.objects.filter(broadcast_id=broadcast_id, state=DeliveryState.PENDING)
    with transaction.atomic():
        # The broadcast before its events, as whoever expands it does.
        ended = Broadcast.objects.filter(_OPEN, pk=broadcast_id).update(
            state=BroadcastState.CANCELLED,
            cancelled_at=now,
            finished_at=now,
            lease_token=None,
            lease_until=None,
            recipients=None,
        )
        # Not of what is complete: there was nothing to call back.
        over = Broadcast.objects.filter(pk=broadcast_id, completed_at__isnull=True)
        over.update(cancelled_at=Coalesce("cancelled_at", Value(now)))
        stopped, _ = cancelling.cancel_events(Event.objects.filter(broadcast=broadcast_id), now=now)
    called_back = 0
    while pks := list(waiting.values_list("pk", flat=True)[:CANCEL_ROWS]):
        called_back += waiting.filter(pk__in=pks).update(
            state=DeliveryState.CANCELLED, reason=Reason.EVENT_CANCELLED, finished_at=now
        )
    return bool(ended or stopped or called_back)


def go_on(broadcast_id: UUID, *, now: datetime) -> bool:
    """Tell the rest of a broadcast whose first few were told; False: it does not wait for that."""
    waiting = Broadcast.objects.filter(pk=broadcast_id, state=BroadcastState.CANARY)
    if waiting.update(state=BroadcastState.PENDING, canary_passed_at=now, due_at=now) != 1:
        return False  # somebody else decided first
    transaction.on_commit(partial(wakeups.ring, wakeups.EXPAND), robust=True)
    return True


def people_of(audience: str, recipients: list[str] | None) -> QuerySet[Any]:
    """Return the users of a named audience, or of a list of primary keys, by primary key."""
    if recipients is None:
        return users_of(registry.audience_named(audience)(), f"The audience {audience!r}")
    return get_user_model()._default_manager.filter(pk__in=wanted(recipients)).order_by("pk")


def next_keys(people: QuerySet[Any], cursor: str, end: str, *, limit: int) -> list[str]:
    """Return the primary keys behind the cursor, up to the end, each once; "": before the first, and nobody at all."""
    if not end:
        return []
    ahead = people.filter(pk__lte=end)
    if cursor:
        ahead = ahead.filter(pk__gt=cursor)
    return [str(pk) for pk in ahead.values_list("pk", flat=True).distinct()[:limit]]


def _admit(held: Held, now: datetime) -> None:
    """Give the free slots to those that are due, the most urgent first. What is held lets others have its slot."""
    waiting = Broadcast.objects.filter(state=BroadcastState.PENDING)
    paused = Q(pk__in=held.broadcasts) | Q(template__in=held.templates)
    if held.broadcasts or held.templates:
        waiting.filter(paused, slot__isnull=False).update(slot=None)
    due = waiting.filter(~paused, slot__isnull=True, due_at__lte=now).order_by("priority", "due_at")
    number = conf.current().broadcasts_at_once
    first = list(due.values_list("pk", flat=True)[:number])
    if not first:
        return
    taken = set(Broadcast.objects.filter(_OPEN, slot__isnull=False).values_list("slot", flat=True))
    free = [slot for slot in range(1, number + 1) if slot not in taken]
    for slot, pk in zip(free, first, strict=False):
        try:
            with transaction.atomic():
                waiting.filter(pk=pk, slot__isnull=True).update(slot=slot)
        except IntegrityError:
            # Another worker gave this slot away first, and looks after the rest.
            return


def _expand(broadcast: Broadcast, token: UUID) -> None:
    """Make the next events; what raises fails the broadcast, and what it has made so far goes on."""
    try:
        with transaction.atomic():
            # Locked until the events are there: `cancel` comes before, or finds them all.
            # Read again with it: whoever is erased has been taken off the list meanwhile.
            row = claiming.held(Broadcast, [broadcast.pk], token).first()
            if row is None:
                return
            changes = _step(row, clock.now())
            claiming.settle(Broadcast, broadcast.pk, token, now=clock.now(), **changes)
    except claiming.DATABASE_TROUBLE:
        raise
    except Exception as e:  # noqa: BLE001 - the edge: an audience is business code
        _fail(broadcast, token, e)


def _fail(broadcast: Broadcast, token: UUID, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}"[:1000]
    state = BroadcastState.FAILED
    if claiming.settle(Broadcast, broadcast.pk, token, now=clock.now(), state=state, last_error=text):
        signals.broadcast_failed.send(Broadcast, broadcast_id=broadcast.pk, error=error)


def _step(broadcast: Broadcast, now: datetime) -> dict[str, Any]:
    """Insert the next events, and return what follows for the broadcast."""
    if broadcast.expires_at is not None and broadcast.expires_at <= now:
        return {"state": BroadcastState.EXPIRED}
    people = people_of(broadcast.audience, broadcast.recipients)
    changes: dict[str, Any] = {}
    if broadcast.recipient_count is None:
        last = people.order_by("-pk").values_list("pk", flat=True).first()
        broadcast.cursor_end = "" if last is None else str(last)
        broadcast.recipient_count = people.values("pk").distinct().count()
        changes |= {"cursor_end": broadcast.cursor_end, "recipient_count": broadcast.recipient_count}
    size = min(conf.current().chunk_size, conf.MAX_RECIPIENTS_PER_EVENT)
    first = _first_few(broadcast)
    limit = min(size * EVENTS_PER_STEP, first - broadcast.expanded_count)
    keys = next_keys(people, broadcast.cursor, broadcast.cursor_end, limit=limit)
    parts = [keys[start : start + size] for start in range(0, len(keys), size)]
    some = [Chunk(recipients=part, duplicate_count=0) for part in parts]
    Event.objects.bulk_create([outbox.event_of(broadcast, chunk, now=now) for chunk in some])
    is_last = len(keys) < limit
    changes["state"] = BroadcastState.EXPANDED if is_last else BroadcastState.PENDING
    changes["expanded_count"] = broadcast.expanded_count + len(keys)
    if not is_last and changes["expanded_count"] >= first:
        # Without its slot: somebody may look at it for days.
        changes |= {"state": BroadcastState.CANARY, "slot": None}
    changes["event_count"] = broadcast.event_count + len(some)
    if keys:
        changes["cursor"] = keys[-1]
        ring = partial(wakeups.ring, wakeups.dispatch_actor(broadcast.priority))
        transaction.on_commit(ring, robust=True)
    if not is_last:
        # Behind the others that have a slot: they take turns.
        changes["due_at"] = now
    else:
        # The events have it: retention takes it away with them.
        changes |= {"variables": {}, "recipients": None, "recipient_count": changes["expanded_count"]}
    return changes


def _first_few(broadcast: Broadcast) -> int:
    """Return how many are told before staff look at it; more than there are: nobody looks."""
    count, percent = broadcast.recipient_count or 0, broadcast.canary_percent
    first = math.ceil(count * percent / 100) if percent else count
    return sys.maxsize if first >= count or broadcast.canary_passed_at is not None else first
