"""What the front door writes, in the caller's transaction: an event, or a broadcast and its events."""

from __future__ import annotations

import hashlib
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from django.db import transaction

from notifications import wakeups
from notifications.exceptions import IdempotencyConflict
from notifications.models import Broadcast, Event
from notifications.pipeline import bulk
from notifications.types import BroadcastState, EventState
from notifications.values import PublishedBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from notifications.pipeline.drafting import Draft
    from notifications.pipeline.recipients import Chunk

#: Events of one INSERT.
INSERT_ROWS = 500

_EVENT = bulk.Blank(Event)

#: What an event has in common with the broadcast it comes from.
_SAID = (
    "template_id", "variables", "priority", "action_url", "action_text", "channels", "about", "digest_key", "source",
    "api_key_id", "due_at", "expires_at",
)  # fmt: skip


def insert(drafted: Draft, chunks: Iterator[Chunk]) -> PublishedBatch:
    """Write one event, or, if there is more than one chunk, a broadcast and an event for each. None: write nothing."""
    first, second = next(chunks, None), next(chunks, None)
    if first is None:
        return PublishedBatch(event_ids=(), broadcast_id=None, recipient_count=0, duplicate_count=0, created=False)
    if second is None:
        # One statement needs no transaction of its own: within the caller's, that would be two round trips more.
        return _insert_event(drafted, first)
    with transaction.atomic():
        return _insert_broadcast(drafted, chain((first, second), chunks))


def insert_audience(
    drafted: Draft,
    audience: str,
    *,
    recipients: list[str] | None = None,
    canary_percent: int | None = None,
    started_by: Any = None,
) -> PublishedBatch:
    """
    Write a broadcast whose events are made when it is due.

    `recipients`: primary keys as text, instead of a named audience. `canary_percent` of them are told first.
    """
    broadcast = Broadcast(
        **_said(drafted),
        created_at=drafted.created_at,
        audience=audience,
        recipients=recipients,
        canary_percent=canary_percent,
        started_by=started_by,
    )
    with transaction.atomic():
        if drafted.idempotency_key is not None:
            # An event for nobody holds the key.
            holder = Event(
                **_said(drafted) | {"variables": {}},
                created_at=drafted.created_at,
                broadcast_id=broadcast.pk,
                state=EventState.DISPATCHED,
                finished_at=drafted.created_at,
            )
            identity = Identity(drafted, audience, *(recipients or ()))
            stored = _insert_first(holder, drafted, identity)
            if stored is not holder:
                identity.check(stored)
                return _replayed(stored, None, 0)
            broadcast.event_count = 1
        broadcast.save(force_insert=True)
        _ring(wakeups.EXPAND, drafted.due_at)
    return PublishedBatch(
        event_ids=(), broadcast_id=broadcast.pk, recipient_count=None, duplicate_count=0, created=True
    )


def event_of(broadcast: Broadcast, chunk: Chunk, *, now: datetime) -> Event:
    """Return the event that tells these recipients what a broadcast has to say."""
    said = {name: getattr(broadcast, name) for name in _SAID}
    return Event(
        **said,
        created_at=now,
        broadcast_id=broadcast.pk,
        recipients=chunk.recipients,
        duplicate_count=chunk.duplicate_count,
    )


def event_with(drafted: Draft, chunk: Chunk) -> Event:
    """Return the event that tells these recipients what was drafted."""
    return _EVENT.filled_in(
        **_said(drafted),
        created_at=drafted.created_at,
        recipients=chunk.recipients,
        duplicate_count=chunk.duplicate_count,
    )


def repeated(drafted: Draft, identity: Identity) -> Event | None:
    """Return the event that the idempotency key stands for already; raise `IdempotencyConflict` if it is another's."""
    stored = Event.objects.filter(idempotency_key=drafted.idempotency_key).first() if drafted.idempotency_key else None
    if stored is not None:
        identity.check(stored)
    return stored


def _insert_event(drafted: Draft, chunk: Chunk) -> PublishedBatch:
    event = event_with(drafted, chunk)
    if drafted.idempotency_key is None:
        bulk.insert_one(event)
    else:
        identity = Identity(drafted, *chunk.recipients)
        stored = _insert_first(event, drafted, identity)
        if stored is not event:
            identity.check(stored)
            return _replayed(stored, len(chunk.recipients), chunk.duplicate_count)
    _ring(wakeups.dispatch_actor(drafted.priority), drafted.due_at)
    return PublishedBatch(
        event_ids=(event.pk,),
        broadcast_id=None,
        recipient_count=len(chunk.recipients),
        duplicate_count=chunk.duplicate_count,
        created=True,
    )


def _insert_broadcast(drafted: Draft, chunks: Iterable[Chunk]) -> PublishedBatch:
    now = drafted.created_at
    broadcast = Broadcast(**_said(drafted), created_at=now, state=BroadcastState.EXPANDED, finished_at=now)
    identity = Identity(drafted)
    events = (event_of(broadcast, chunk, now=now) for chunk in identity.reading(chunks))
    first = next(events)
    stored = _insert_first(first, drafted, identity)
    if stored is not first:
        recipients, duplicates = _numbers(chain([first], events))
        identity.check(stored)
        return _replayed(stored, recipients, duplicates)
    # It points at its broadcast already: foreign keys are checked at commit.
    ids = [first.pk]
    recipients, duplicates = _numbers([first])
    while some := list(islice(events, INSERT_ROWS)):
        Event.objects.bulk_create(some)
        ids += [event.pk for event in some]
        more, again = _numbers(some)
        recipients, duplicates = recipients + more, duplicates + again
    broadcast.recipient_count = broadcast.expanded_count = recipients
    broadcast.duplicate_count, broadcast.event_count = duplicates, len(ids)
    # The events have it: retention takes it away with them.
    broadcast.variables = {}
    broadcast.save(force_insert=True)
    if drafted.idempotency_key is not None:
        # Known only now; whoever has the same key waits for our transaction.
        Event.objects.filter(pk=first.pk).update(request_hash=identity.hexdigest())
    _ring(wakeups.dispatch_actor(drafted.priority), drafted.due_at)
    return PublishedBatch(
        event_ids=tuple(ids),
        broadcast_id=broadcast.pk,
        recipient_count=recipients,
        duplicate_count=duplicates,
        created=True,
    )


def _numbers(events: Iterable[Event]) -> tuple[int, int]:
    """Return how many recipients, and how many duplicates."""
    recipients = duplicates = 0
    for event in events:
        recipients += len(event.recipients)
        duplicates += event.duplicate_count
    return recipients, duplicates


def _said(drafted: Draft) -> dict[str, Any]:
    return {name: getattr(drafted, name.removesuffix("_id")) for name in _SAID}


def _ring(actor: str, due_at: datetime) -> None:
    transaction.on_commit(partial(wakeups.ring, actor, due_at), robust=True)


class Identity:
    """The hash of a whole request, to tell a repetition from another request under the same key."""

    def __init__(self, drafted: Draft, *recipients: str) -> None:
        self._hash = hashlib.sha256(drafted.request.encode())
        self._add(recipients)

    def reading(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Return the chunks, taking note of their recipients as they go by."""
        for chunk in chunks:
            self._add(chunk.recipients)
            yield chunk

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def check(self, stored: Event) -> None:
        """Raise `IdempotencyConflict` if the event under our key is another request's."""
        if stored.request_hash == self.hexdigest():
            return
        message = (
            f"The idempotency key {stored.idempotency_key!r} was used for another request (event {stored.pk}); "
            "use a key that names this one thing that happened."
        )
        raise IdempotencyConflict(message)

    def _add(self, recipients: Iterable[str]) -> None:
        for recipient in recipients:
            self._hash.update(f"\n{recipient}".encode())


def _insert_first(event: Event, drafted: Draft, identity: Identity) -> Event:
    """Insert the event that carries the idempotency key; return it, or the one the key already stands for."""
    if drafted.idempotency_key is None:
        bulk.insert_one(event)
        return event
    event.idempotency_key = drafted.idempotency_key
    event.request_hash = identity.hexdigest()
    # Not `except IntegrityError`: that would poison the caller's transaction.
    Event.objects.bulk_create([event], ignore_conflicts=True)
    stored = Event.objects.filter(idempotency_key=drafted.idempotency_key).first()
    if stored is None:
        # Retention took the former holder of the key away between the two statements: now it is ours.
        Event.objects.bulk_create([event], ignore_conflicts=True)
        stored = Event.objects.get(idempotency_key=drafted.idempotency_key)
    return event if stored.pk == event.pk else stored


def _replayed(stored: Event, recipient_count: int | None, duplicate_count: int) -> PublishedBatch:
    """Return what the first call with this key returned."""
    ids: Iterable[Any] = [stored.pk]
    if stored.broadcast_id is not None:
        told = Event.objects.filter(broadcast=stored.broadcast_id)
        ids = told.order_by("pk").values_list("pk", flat=True) if recipient_count is not None else []
    return PublishedBatch(
        event_ids=tuple(ids),
        broadcast_id=stored.broadcast_id,
        recipient_count=recipient_count,
        duplicate_count=duplicate_count,
        created=False,
    )
