"""How much waits, is held and was done, for each actor: what an operator looks at first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Min, Q, QuerySet, Value

from notifications import conf, ids, wakeups
from notifications.models import Broadcast, Delivery, Event
from notifications.types import BroadcastState, DeliveryState, EventState, Priority

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: How far back completed and failed work is counted.
LATELY = timedelta(days=1)
#: A delivery that waited longer than this for its completion is not counted: an index of its own would cost every send.
LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorQueue:
    """The work of one actor."""

    actor: str
    #: Due.
    waiting: int
    #: Due later: delays, schedules, retries, digests.
    delayed: int
    #: Held by a drain.
    active: int
    #: Dispatched, or sent, in the last 24 hours.
    completed: int
    #: Failed in the last 24 hours; also when nobody knows the end.
    failed: int
    #: When the oldest of what waits was due. None: nothing waits.
    oldest_due_at: datetime | None


def queues(*, now: datetime) -> list[ActorQueue]:
    """Return the queue of each actor, the one whose work was due first in front: thirteen statements."""
    found = [*_dispatching(now), *_expanding(now), *_delivering(now)]
    return sorted(found, key=lambda queue: (queue.oldest_due_at is None, queue.oldest_due_at or now))


def _dispatching(now: datetime) -> list[ActorQueue]:
    # Emptied ones are over for longer; said here, so that the index of retention serves this, too.
    over = Event.objects.filter(finished_at__gt=now - LATELY, emptied_at__isnull=True)
    return _queues(
        {priority: wakeups.dispatch_actor(priority) for priority in Priority},
        waiting=_waiting(Event.objects.filter(state=EventState.PENDING), "priority", now),
        active=_numbers(Event.objects.filter(state=EventState.DISPATCHING), "priority"),
        completed=_numbers(over.filter(state=EventState.DISPATCHED), "priority"),
        failed=_numbers(over.filter(state=EventState.FAILED), "priority"),
    )


def _expanding(now: datetime) -> list[ActorQueue]:
    rows = Broadcast.objects.annotate(actor=Value(wakeups.EXPAND))
    over = rows.filter(finished_at__gt=now - LATELY)
    # A list whose events were inserted with it was never anybody's work: nobody looked for its end.
    expanded = over.filter(state=BroadcastState.EXPANDED).exclude(audience="", cursor_end="")
    return _queues(
        {wakeups.EXPAND: wakeups.EXPAND},
        waiting=_waiting(rows.filter(state=BroadcastState.PENDING), "actor", now),
        active=_numbers(rows.filter(state=BroadcastState.EXPANDING), "actor"),
        completed=_numbers(expanded, "actor"),
        failed=_numbers(over.filter(state=BroadcastState.FAILED), "actor"),
    )


def _delivering(now: datetime) -> list[ActorQueue]:
    pending = Delivery.objects.filter(state=DeliveryState.PENDING)
    waiting = _waiting(pending.filter(digest_id__isnull=True), "channel", now)
    for channel, number in _numbers(pending.filter(digest_id__isnull=False), "channel").items():
        # Collected by a digest: it is that which will be due.
        figures = waiting.setdefault(channel, {"waiting": 0, "delayed": 0, "oldest_due_at": None})
        figures["delayed"] += number
    active = _numbers(Delivery.objects.filter(state=DeliveryState.SENDING), "channel")
    over = Delivery.objects.filter(finished_at__gt=now - LATELY)
    # By the primary key: what was made before cannot have been completed lately.
    recent = over.filter(pk__gte=ids.uuid7_at(now - LATELY - LONGEST_WAIT))
    # A channel that was taken out of the settings may have left work behind.
    channels = dict.fromkeys([*conf.channels(), *waiting, *active])
    return _queues(
        {channel: wakeups.deliver_actor(channel) for channel in channels},
        waiting=waiting,
        active=active,
        completed=_numbers(recent.filter(state__in=[DeliveryState.SENT, DeliveryState.DIGESTED]), "channel"),
        failed=_numbers(over.filter(state__in=[DeliveryState.FAILED, DeliveryState.UNKNOWN]), "channel"),
    )


def _queues(
    actors: Mapping[Any, str],
    *,
    waiting: Mapping[Any, dict[str, Any]],
    active: Mapping[Any, int],
    completed: Mapping[Any, int],
    failed: Mapping[Any, int],
) -> list[ActorQueue]:
    """Put the figures of each actor together; those of others, such as in-app, are left out."""
    nothing = {"waiting": 0, "delayed": 0, "oldest_due_at": None}
    return [
        ActorQueue(
            actor=actor,
            active=active.get(key, 0),
            completed=completed.get(key, 0),
            failed=failed.get(key, 0),
            **waiting.get(key, nothing),
        )
        for key, actor in actors.items()
    ]


def _waiting(rows: QuerySet[Any], by: str, now: datetime) -> dict[Any, dict[str, Any]]:
    """Return the figures of what is pending. Only columns of the claim's index are read."""
    due = Q(due_at__lte=now)
    counted = (
        rows.order_by()
        .values(by)
        .annotate(
            waiting=Count("due_at", filter=due),
            delayed=Count("due_at", filter=~due),
            oldest_due_at=Min("due_at", filter=due),
        )
    )
    return {row.pop(by): row for row in counted}


def _numbers(rows: QuerySet[Any], by: str) -> dict[Any, int]:
    return dict(rows.order_by().values_list(by).annotate(number=Count("*")))
