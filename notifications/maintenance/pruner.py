"""
Retention: take away what was kept long enough, class by class, in small batches.

An event accounts for its rows (`services.audit`), so none of them goes before it does. Safe to run many times at once:
each run locks other rows, and asks again once it holds them.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from notifications import conf, ids
from notifications.models import (
    Attempt,
    Broadcast,
    BroadcastDraft,
    Delivery,
    Digest,
    Event,
    FrequencyCount,
    Mute,
    Notification,
    ProviderEvent,
)
from notifications.types import DeliveryState, EventState

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class Kept(StrEnum):
    """What is kept, by the class that has a time of its own."""

    #: With their variables.
    EVENTS = "events"
    #: Events that lose everything but what their idempotency key needs.
    EMPTIED = "events emptied"
    #: What was left of those.
    KEYS = "idempotency keys"
    BROADCASTS = "broadcasts"
    #: The variables of those whose events were not all made.
    UNSAID = "broadcasts emptied"
    #: Those that nobody started.
    DRAFTS = "drafts of broadcasts"
    DIGESTS = "digests"
    #: What counts for a daily cap; days that are over.
    COUNTS = "daily counts"
    MUTES = "mutes that ended"
    #: Inbox items.
    NOTIFICATIONS = "notifications"
    DELIVERIES = "deliveries"
    #: They go with their deliveries.
    ATTEMPTS = "attempts"
    #: These, too.
    FEEDBACK = "provider events"


#: Days that a draft of a broadcast is kept for whoever began it.
DRAFT_DAYS = 30
#: What goes with deliveries.
_WITH_DELIVERIES: dict[Kept, type[Model]] = {Kept.ATTEMPTS: Attempt, Kept.FEEDBACK: ProviderEvent}
#: What retention takes from a row that stays.
_SAID: dict[str, Any] = {
    "variables": {},
    "action_url": "",
    "action_text": "",
    "channels": None,
    # It may quote a variable.
    "last_error": "",
}


def run_once(now: datetime, limit: int) -> int:
    """Take away at most `limit` rows of each class; return how many went or were emptied."""
    return prune(now, limit).total()


def prune(now: datetime, limit: int) -> Counter[Kept]:
    """Do what `run_once` does; return how many of each class."""
    removed: Counter[Kept] = Counter()
    for kept, rows in _overdue(now).items():
        match kept:
            case Kept.EMPTIED:
                removed += _empty(kept, rows, limit, {**_SAID, "recipients": [], "emptied_at": now})
            case Kept.UNSAID:
                removed += _empty(kept, rows, limit, {**_SAID, "recipients": None})
            case _:
                removed += _delete(kept, rows, limit)
    return removed


def next_round(now: datetime, limit: int) -> Counter[Kept]:
    """Return how many of each class one round with this `limit` would take; what goes with deliveries is left out."""
    # The statement of a round, not a COUNT: without its order, the database would begin with all deliveries.
    return +Counter({kept: len(rows.values_list("pk", flat=True)[:limit]) for kept, rows in _overdue(now).items()})


def count(now: datetime) -> Counter[Kept]:
    """
    Return how many of each class have been kept long enough, and change nothing.

    What waits for its event to go is not counted yet.
    """
    overdue = _overdue(now)
    counted = Counter({kept: rows.order_by().count() for kept, rows in overdue.items()})
    deliveries = overdue[Kept.DELIVERIES].order_by()
    for kept, model in _WITH_DELIVERIES.items():
        counted[kept] = model._default_manager.filter(delivery__in=deliveries).count()
    return +counted


def _empty(kept: Kept, rows: QuerySet[Any], limit: int, changes: dict[str, Any]) -> Counter[Kept]:
    with transaction.atomic():
        return Counter({kept: _locked(rows, limit).update(**changes)})


def _delete(kept: Kept, rows: QuerySet[Any], limit: int) -> Counter[Kept]:
    with transaction.atomic():
        _, by_model = _locked(rows, limit).delete()
    with_them = {other: by_model.pop(model._meta.label, 0) for other, model in _WITH_DELIVERIES.items()}
    return Counter({kept: sum(by_model.values()), **with_them})


def _locked(rows: QuerySet[Any], limit: int) -> QuerySet[Any]:
    """Return up to `limit` of these rows, locked; those that others hold are theirs."""
    pks = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    # The condition is repeated: what was sent round again before the lock was ours stays.
    return rows.filter(pk__in=pks)


def _overdue(now: datetime) -> dict[Kept, QuerySet[Any]]:
    """
    Return what was kept long enough, in the order it goes, the oldest first.

    Deliveries come after inbox items, which wait for them: two runs cannot wait for each other.
    """
    config = conf.current()

    def before(days: float) -> UUID:
        return ids.uuid7_at(now - timedelta(days=days))

    keyed = Q(idempotency_key__isnull=False, pk__gte=before(config.retention_keys_days))
    over, failed = _over(now), now - timedelta(days=config.retention_failed_events_days)
    stubs = Event.objects.filter(emptied_at__isnull=False)
    whole = Exists(Event.objects.filter(pk=OuterRef("event_id"), emptied_at__isnull=True))
    deliveries = Delivery.objects.filter(pk__lt=before(config.retention_deliveries_days), finished_at__isnull=False)
    eventless = Broadcast.objects.filter(~Exists(Event.objects.filter(broadcast=OuterRef("pk"))))
    return {
        Kept.EVENTS: over.filter(~keyed),
        Kept.EMPTIED: over.filter(keyed),
        Kept.KEYS: stubs.filter(pk__lt=before(config.retention_keys_days)).order_by("pk"),
        Kept.BROADCASTS: eventless.filter(
            pk__lt=before(config.retention_deliveries_days), finished_at__isnull=False
        ).order_by("pk"),
        # What was not expanded, to the end: all the others' variables went to their events.
        Kept.UNSAID: Broadcast.objects.filter(finished_at__lte=failed)
        .exclude(variables={}, recipients__isnull=True)
        .order_by("finished_at"),
        Kept.DRAFTS: BroadcastDraft.objects.filter(pk__lt=before(DRAFT_DAYS), broadcast__isnull=True).order_by("pk"),
        Kept.DIGESTS: Digest.objects.filter(
            pk__lt=before(config.retention_deliveries_days), closed_at__isnull=False
        ).order_by("pk"),
        # Two days: somewhere it is still yesterday.
        Kept.COUNTS: FrequencyCount.objects.filter(day__lt=(now - timedelta(days=2)).date()).order_by("day"),
        Kept.MUTES: Mute.objects.filter(until__lte=now).order_by("pk"),
        Kept.NOTIFICATIONS: _old_inbox_items(now, config.retention_inbox_days).filter(~whole),
        Kept.DELIVERIES: deliveries.filter(~whole).order_by("pk"),
    }


def _over(now: datetime) -> QuerySet[Event]:
    """Return the events that are over long enough: from the last of their deliveries, longer if anything failed."""
    config = conf.current()
    day = now - timedelta(days=config.retention_events_days)
    week = now - timedelta(days=config.retention_failed_events_days)
    deliveries = Delivery.objects.filter(event_id=OuterRef("pk"))
    live, failed = Q(finished_at__isnull=True), Q(state__in=[DeliveryState.FAILED, DeliveryState.UNKNOWN])
    well = ~Q(state=EventState.FAILED) & ~Exists(deliveries.filter(live | failed | Q(finished_at__gt=day)))
    # Asked second and by time first: an event that waits for its week costs each run one look at its deliveries.
    long_over = Q(finished_at__lte=week) & ~Exists(deliveries.filter(live | Q(finished_at__gt=week)))
    whole = Event.objects.filter(finished_at__lte=day, emptied_at__isnull=True)
    return whole.filter(well | long_over).order_by("finished_at")


def _old_inbox_items(now: datetime, days: float | None) -> QuerySet[Notification]:
    if days is None:
        return Notification.objects.none()
    live = Delivery.objects.filter(notification=OuterRef("pk"), finished_at__isnull=True)
    oldest = Notification.objects.filter(pk__lt=ids.uuid7_at(now - timedelta(days=days))).order_by("pk")
    return oldest.filter(~Exists(live))
