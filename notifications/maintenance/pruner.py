"""
Retention: take away what was kept long enough, class by class, in small batches.

An event accounts for its rows (`audit_notifications`), so nothing goes before the event it came from. Safe to run many
times at once: each takes other rows, and looks again once it has locked them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet

from notifications import conf, ids
from notifications.models import Attempt, Broadcast, Delivery, Event, Notification
from notifications.types import DeliveryState, EventState

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from notifications.conf import Config

Row = TypeVar("Row", bound=Model)

_FAILED = [DeliveryState.FAILED, DeliveryState.UNKNOWN]
_LIVE = [DeliveryState.PENDING, DeliveryState.SENDING]


class Class(StrEnum):
    """What is kept for a time of its own."""

    #: Events, with their variables.
    EVENTS = "events"
    #: Events that lose everything but what their idempotency key needs.
    EMPTIED = "events, emptied"
    #: What was left of those.
    KEYS = "idempotency keys"
    #: Inbox items.
    NOTIFICATIONS = "notifications"
    #: Deliveries, with their attempts.
    DELIVERIES = "deliveries"
    ATTEMPTS = "attempts"
    #: Broadcasts of which no event is left.
    BROADCASTS = "broadcasts"


def run_once(now: datetime, limit: int) -> int:
    """Take away at most `limit` rows of each class; return how many went, emptied ones included."""
    return sum(prune(now, limit).values())


def prune(now: datetime, limit: int) -> dict[Class, int]:
    """Do what `run_once` does; return how many of each class went."""
    removed = dict.fromkeys(Class, 0)
    for overdue in _overdue(now, conf.current()):
        removed[overdue.name] = overdue.remove(limit)
        if overdue.name is Class.DELIVERIES:
            removed[Class.ATTEMPTS] = overdue.removed_with
    return removed


def count(now: datetime) -> dict[Class, int]:
    """Return how many of each class would go if everything went at once."""
    ...
