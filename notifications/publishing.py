"""
The front door: say what happened, in the transaction of the business change.

    publish_notification("ORDER_CREATED", recipient=order.customer, variables={"order_number": order.number})

One row is inserted, in the caller's transaction: roll back and nothing happened; commit and it will be delivered or
explained. Whatever is wrong with the call raises a `PublishError` here and stores nothing.

Options of both functions
-------------------------
variables: what the template declares, as plain JSON of at most 16 KB.
priority: `Priority.HIGH`, "high" or 1; default: the template's.
delay, send_at: not before this long from now, or not before this aware instant.
expires_in: how long after it is due it is still worth sending; then it expires unsent.
action_url, action_text: where the reader goes next (https://…, or a path on this site), and the button's label.
channels: names of the channels to use; default: all the template has wording for.
about: the business object: a saved model instance, or text such as "orders.order:42".
idempotency_key: the same key with the same request is the same event; with another request, an error.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet

from notifications import clock, conf, wakeups
from notifications.exceptions import IdempotencyConflict, WrongRecipients
from notifications.models import Broadcast, Event
from notifications.pipeline import claiming
from notifications.pipeline.drafting import Draft, draft
from notifications.types import Priority, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

__all__ = ["Priority", "cancel_event", "publish_batch_notification", "publish_notification"]

#: Rows of one INSERT when a broadcast is written.
_INSERT_ROWS = 500


class Options(TypedDict, total=False):
    """What both functions take; explained above."""

    variables: dict[str, Any] | None
    priority: Priority | str | int | None
    delay: timedelta | None
    send_at: datetime | None
    expires_in: timedelta | None
    action_url: str
    action_text: str
    channels: Sequence[str] | None
    about: Model | str | None
    idempotency_key: str | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEvent:
    """The event, and whether this call made it (False: the idempotency key was there already)."""

    id: UUID
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedBatch:
    """The events of a batch. `broadcast_id` is set when it was too long for one event."""

    event_ids: tuple[UUID, ...]
    broadcast_id: UUID | None
    recipient_count: int
    duplicate_count: int
    created: bool


def publish_notification(template: str, *, recipient: Any, **options: Unpack[Options]) -> PublishedEvent:
    """Publish an event for one recipient: a saved user, or a user's primary key."""
    batch = _publish(template, [_recipient_id(recipient)], 0, options)
    return PublishedEvent(id=batch.event_ids[0], created=batch.created)


def publish_batch_notification(
    template: str, *, recipients: Iterable[Any] | QuerySet[Any], **options: Unpack[Options]
) -> PublishedBatch:
    """
    Publish an event for many recipients: users or primary keys, or a queryset of users.

    More than 50 become a broadcast: many events, inserted together, in the caller's transaction. Nobody is told twice.
    An empty list is checked like any other and stores nothing.
    """
    if isinstance(recipients, str | bytes | Model):
        kind = type(recipients).__name__
        raise WrongRecipients(f"`recipients` is one {kind}; pass a list, or call publish_notification.")
    given = _recipient_ids(recipients)
    unique = list(dict.fromkeys(given))
    return _publish(template, unique, len(given) - len(unique), options)


def cancel_event(event_id: UUID) -> bool:
    """Call back an event and every delivery of it that is still waiting; False: nothing was left to cancel."""
    return claiming.cancel(event_id, now=clock.now())


def _publish(template: str, recipients: list[str], duplicates: int, options: Options) -> PublishedBatch:
    drafted = draft(template, now=clock.now(), **options)
    if not recipients:
        return PublishedBatch(
            event_ids=(), broadcast_id=None, recipient_count=0, duplicate_count=duplicates, created=False
        )
    size = min(conf.current().chunk_size, conf.MAX_RECIPIENTS_PER_EVENT)
    chunks = [recipients[start : start + size] for start in range(0, len(recipients), size)]
    broadcast = _broadcast(drafted, len(recipients), duplicates) if len(chunks) > 1 else None
    events = [_event(drafted, chunk, broadcast) for chunk in chunks]
    events[0].duplicate_count = duplicates
    with transaction.atomic():
        stored = _insert_first(events[0], drafted, recipients)
        created = stored is events[0]
        if created:
            _insert_rest(events[1:], broadcast)
            ring = partial(wakeups.ring, wakeups.dispatch_actor(drafted.priority), drafted.due_at)
            transaction.on_commit(ring, robust=True)
        else:
            events = _replayed(stored)
    return PublishedBatch(
        event_ids=tuple(event.pk for event in events),
        broadcast_id=stored.broadcast_id,
        recipient_count=len(recipients),
        duplicate_count=duplicates,
        created=created,
    )


def _event(drafted: Draft, recipients: list[str], broadcast: Broadcast | None) -> Event:
    return Event(
        template_id=drafted.template,
        variables=drafted.variables,
        recipients=recipients,
        broadcast_id=broadcast.pk if broadcast else None,
        priority=drafted.priority,
        action_url=drafted.action_url,
        action_text=drafted.action_text,
        channels=drafted.channels,
        about=drafted.about,
        source=drafted.source,
        created_at=drafted.created_at,
        due_at=drafted.due_at,
        expires_at=drafted.expires_at,
    )


def _broadcast(drafted: Draft, recipient_count: int, duplicate_count: int) -> Broadcast:
    return Broadcast(
        template_id=drafted.template,
        recipient_count=recipient_count,
        duplicate_count=duplicate_count,
        created_at=drafted.created_at,
    )


def _insert_first(event: Event, drafted: Draft, recipients: list[str]) -> Event:
    """Insert the event that carries the idempotency key; return it, or the one the key already stands for."""
    if drafted.idempotency_key is None:
        event.save(force_insert=True)
        return event
    event.idempotency_key = drafted.idempotency_key
    event.request_hash = hashlib.sha256("\n".join([drafted.request, *recipients]).encode()).hexdigest()
    # Not `except IntegrityError`: that would poison the caller's transaction.
    Event.objects.bulk_create([event], ignore_conflicts=True)
    stored = Event.objects.filter(idempotency_key=drafted.idempotency_key).first()
    if stored is None:
        # Retention took the former holder of the key away between the two statements: now it is ours.
        Event.objects.bulk_create([event], ignore_conflicts=True)
        stored = Event.objects.get(idempotency_key=drafted.idempotency_key)
    if stored.pk == event.pk:
        return event
    if stored.request_hash != event.request_hash:
        message = (
            f"The idempotency key {drafted.idempotency_key!r} was used for another request (event {stored.pk}); "
            "use a key that names this one thing that happened."
        )
        raise IdempotencyConflict(message)
    return stored


def _insert_rest(events: list[Event], broadcast: Broadcast | None) -> None:
    # The first event points at its broadcast already: foreign keys are checked at commit.
    if broadcast is not None:
        broadcast.save(force_insert=True)
        Event.objects.bulk_create(events, batch_size=_INSERT_ROWS)


def _replayed(stored: Event) -> list[Event]:
    if stored.broadcast_id is None:
        return [stored]
    return list(Event.objects.filter(broadcast=stored.broadcast_id).only("pk", "broadcast_id").order_by("pk"))


def _recipient_ids(recipients: Iterable[Any] | QuerySet[Any]) -> list[str]:
    if isinstance(recipients, QuerySet):
        if recipients.model is not get_user_model():
            raise WrongRecipients(f"`recipients` is a queryset of {recipients.model.__name__}, not of users.")
        return [str(pk) for pk in recipients.values_list("pk", flat=True)]
    return [_recipient_id(recipient) for recipient in recipients]


def _recipient_id(recipient: Any) -> str:
    """Return the primary key as text: what the event stores."""
    user_model: type[Model] = get_user_model()
    if isinstance(recipient, user_model):
        if recipient._state.adding:
            message = "The recipient is not saved yet; publish after `save()`."
            raise WrongRecipients(message)
        return str(recipient.pk)
    if recipient is None or isinstance(recipient, bool | Model):
        message = f"The recipient is {recipient!r}; pass a {user_model.__name__} or its primary key."
        raise WrongRecipients(message)
    try:
        return str(user_model._meta.pk.to_python(recipient))
    except ValidationError as e:
        raise WrongRecipients(f"The recipient {recipient!r} is not a primary key of {user_model.__name__}.") from e
