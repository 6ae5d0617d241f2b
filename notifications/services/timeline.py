"""All one person was told, or was not: newest first, all channels together. A constant number of queries for a page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Left
from django.utils.translation import gettext as _

from notifications.models import Attempt, Delivery, Notification
from notifications.models.deliveries import ADDRESS_BEGINNING
from notifications.services import keyset, tracking
from notifications.services.keyset import Cursor
from notifications.types import Channel, DeliveryState, Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

#: Entries of a page.
SIZE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One delivery of an entry."""

    id: UUID
    channel: Channel
    address: str
    state: DeliveryState
    #: What became of it, in words: the reason, the tries, what the provider told.
    words: tuple[str, ...]
    #: When it was over, or is due.
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something a person was told, or was to be told, by these ways."""

    at: datetime
    #: Empty: a message that has no template.
    template: str
    about: str
    #: None: a message that went out without an inbox item.
    notification_id: UUID | None
    event_id: UUID | None
    read_at: datetime | None
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries, newest first, and where the neighbouring pages begin."""

    entries: list[Entry]
    newer: Cursor | None
    older: Cursor | None


def of_user(user: Any, cursor: Cursor, *, size: int = SIZE) -> Page:
    """Return a page of what a user was told."""
    direct = Delivery.objects.filter(recipient=user, notification=None)
    return _page(Notification.objects.filter(recipient=user), direct, cursor, size)


def of_address(address: str, cursor: Cursor, *, size: int = SIZE) -> Page:
    """Return a page of what went to an address that belongs to no user."""
    return _page(Notification.objects.none(), direct_to(address), cursor, size)


def direct_to(address: str) -> QuerySet[Delivery]:
    """Return what went to an address that belongs to no user, as it was written there."""
    # As the index is: by its beginning, and without those that have no address.
    named = Delivery.objects.alias(beginning=Left("address", ADDRESS_BEGINNING))
    return named.filter(
        ~Q(address=""), beginning=address[:ADDRESS_BEGINNING], address=address, recipient=None, notification=None
    )


def _page(told: QuerySet[Notification], direct: QuerySet[Delivery], cursor: Cursor, size: int) -> Page:
    """Ids of both kinds grow with time: the newest of each, the newest of them together."""
    pages = [keyset.page(rows, cursor, size=size) for rows in (told, direct)]
    is_upward = cursor.after is not None
    rows = sorted((row for page in pages for row in page.rows), key=lambda row: row.pk, reverse=not is_upward)
    shown = rows[:size]
    has_more = len(rows) > size or any(page.newer if is_upward else page.older for page in pages)
    if is_upward:
        shown.reverse()
    entries = _entries(shown)
    if not shown:
        return Page(entries=[], newer=None, older=None)
    newer, older = Cursor(after=shown[0].pk), Cursor(before=shown[-1].pk)
    if is_upward:
        return Page(entries=entries, newer=newer if has_more else None, older=older)
    return Page(entries=entries, newer=newer if cursor.before else None, older=older if has_more else None)


def _entries(rows: list[Notification | Delivery]) -> list[Entry]:
    told = [row.pk for row in rows if isinstance(row, Notification)]
    deliveries: dict[UUID, list[Delivery]] = defaultdict(list)
    for row in rows:
        if isinstance(row, Delivery):
            deliveries[row.pk].append(row)
    for row in Delivery.objects.filter(notification__in=told).order_by("pk"):
        assert row.notification_id is not None
        deliveries[row.notification_id].append(row)
    pks = [row.pk for group in deliveries.values() for row in group]
    last = {row.delivery_id: row for row in Attempt.objects.filter(delivery__in=pks).order_by("number", "pk")}
    return [_entry(row, tuple(_way(one, last.get(one.pk)) for one in deliveries[row.pk])) for row in rows]


def _entry(row: Notification | Delivery, ways: tuple[Way, ...]) -> Entry:
    item = row if isinstance(row, Notification) else None
    return Entry(
        at=row.created_at,
        template=row.template_id or "",
        about=item.about if item else "",
        notification_id=item.pk if item else None,
        event_id=row.event_id,
        read_at=item.read_at if item else None,
        ways=tuple(sorted(ways, key=lambda way: Channel.values.index(way.channel))),
    )


def _way(row: Delivery, last: Attempt | None) -> Way:
    return Way(
        id=row.pk,
        channel=Channel(row.channel),
        address=row.address,
        state=DeliveryState(row.state),
        words=tuple(_words(row, last)),
        at=row.due_at if row.finished_at is None else row.finished_at,
    )


def _words(row: Delivery, last: Attempt | None) -> Iterator[str]:
    if row.reason:
        yield str(Reason(row.reason).label)
    if row.attempts:
        yield _("tries: %(number)s") % {"number": row.attempts}
    if last is not None and last.outcome != Outcome.SENT:
        outcome = _("the last one: %(outcome)s") % {"outcome": Outcome(last.outcome).label}
        yield f"{outcome} ({last.code})" if last.code else outcome
    told = [(at, str(kind.label)) for kind, column in tracking.COLUMNS.items() if (at := getattr(row, column))]
    yield from (label for _at, label in sorted(told))
