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
digest_key: what is collected together, where the template collects; default: all of the template.
idempotency_key: the same key with the same request is the same event; with another request, an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from django.db import transaction
from django.db.models import Model, QuerySet

from notifications import clock, conf, registry, wakeups
from notifications.exceptions import ActionRefused, WrongRecipients, WrongTime
from notifications.models import Event
from notifications.pipeline import broadcasting, cancelling, outbox, resolving
from notifications.pipeline.drafting import draft, due_at, object_named
from notifications.pipeline.dry_run import dry_run as dry_run_of
from notifications.pipeline.recipients import chunks, key_of, users_of
from notifications.pipeline.wording import contract
from notifications.registry import audience, inbox_action, still_valid
from notifications.types import Priority, Source
from notifications.values import DryRun, Pressed, PublishedBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

__all__ = [
    "ActionRefused",
    "DryRun",
    "Pressed",
    "Priority",
    "PublishedBatch",
    "PublishedEvent",
    "audience",
    "cancel_broadcast",
    "cancel_event",
    "inbox_action",
    "publish_batch_notification",
    "publish_notification",
    "reschedule_event",
    "resolve",
    "still_valid",
]


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
    digest_key: str
    idempotency_key: str | None
    source: Source
    #: Of the API: primary key of the service's key.
    api_key: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEvent:
    """The event, and whether this call made it (False: the idempotency key was there already)."""

    id: UUID
    created: bool


def publish_notification(template: str, *, recipient: Any, **options: Unpack[Options]) -> PublishedEvent:
    """Publish an event for one recipient: a saved user, or a user's primary key."""
    key = key_of(recipient)
    batch = outbox.insert(draft(template, now=clock.now(), **options), chunks([key], size=1))
    return PublishedEvent(id=batch.event_ids[0], created=batch.created)


@overload
def publish_batch_notification(
    template: str,
    *,
    recipients: Iterable[Any] | QuerySet[Any] | None = None,
    audience: str | None = None,
    dry_run: Literal[False] = False,
    **options: Unpack[Options],
) -> PublishedBatch: ...


@overload
def publish_batch_notification(
    template: str,
    *,
    recipients: Iterable[Any] | QuerySet[Any] | None = None,
    audience: str | None = None,
    dry_run: Literal[True],
    **options: Unpack[Options],
) -> DryRun: ...


def publish_batch_notification(
    template: str,
    *,
    recipients: Iterable[Any] | QuerySet[Any] | None = None,
    audience: str | None = None,
    dry_run: bool = False,
    **options: Unpack[Options],
) -> PublishedBatch | DryRun:
    """
    Publish an event for many: `recipients` are users or primary keys, or a queryset of users; `audience` is a name.

    More than 50 become a broadcast: many events, inserted together, in the caller's transaction. Nobody is told twice.
    A queryset is read bit by bit, whatever its length. An empty list is checked like any other and stores nothing.

    A named audience always becomes a broadcast. Who belongs to it is asked when it is due, bit by bit, by the workers.

    `dry_run`: check everything, write nothing, and return what would become of it.
    """
    if (recipients is None) == (audience is None):
        message = "Pass `recipients` or `audience`, and not both."
        raise WrongRecipients(message)
    if audience is not None:
        people = registry.audience_named(audience)
        drafted = draft(template, now=clock.now(), **options)
        if dry_run:
            everybody = users_of(people(), f"The audience {audience!r}").distinct()
            return dry_run_of(drafted, chunks(everybody, size=_chunk_size()), audience=audience)
        return outbox.insert_audience(drafted, audience)
    if isinstance(recipients, str | bytes | Model):
        kind = type(recipients).__name__
        raise WrongRecipients(f"`recipients` is one {kind}; pass a list, or call publish_notification.")
    drafted = draft(template, now=clock.now(), **options)
    given = chunks([] if recipients is None else recipients, size=_chunk_size())
    return dry_run_of(drafted, given) if dry_run else outbox.insert(drafted, given)


def cancel_event(event_id: UUID) -> bool:
    """Call back an event and every delivery of it that is still waiting; False: nothing was left to cancel."""
    return cancelling.cancel(event_id, now=clock.now())


def cancel_broadcast(broadcast_id: UUID) -> bool:
    """Call back a broadcast and all of it that is still waiting; False: nothing was left to cancel."""
    return broadcasting.cancel(broadcast_id, now=clock.now())


def resolve(about: Model | str, template: str | None = None) -> int:
    """
    Settle what was said about an object, by every template or by one: the reminder is paid, the question answered.

    Its inbox items are archived for everybody, and what of it waits is cancelled, in the caller's transaction. Returns
    how many items and waiting events that were.
    """
    if template is not None:
        contract(template)
    return resolving.resolve(object_named(about), template, now=clock.now())


def reschedule_event(event_id: UUID, *, delay: timedelta | None = None, send_at: datetime | None = None) -> bool:
    """
    Move an event that waits: not before this long from now, or not before this aware instant.

    What it has left before it expires stays the same. False: it was claimed, or over already.
    """
    if delay is None and send_at is None:
        message = "Pass `delay` or `send_at`: when should it be?"
        raise WrongTime(message)
    moved_to = due_at(clock.now(), delay, send_at)
    moved = cancelling.reschedule(event_id, due_at=moved_to)
    if moved:
        priority = Event.objects.values_list("priority", flat=True).get(pk=event_id)
        transaction.on_commit(partial(wakeups.ring, wakeups.dispatch_actor(priority), moved_to), robust=True)
    return moved


def _chunk_size() -> int:
    return min(conf.current().chunk_size, conf.MAX_RECIPIENTS_PER_EVENT)
