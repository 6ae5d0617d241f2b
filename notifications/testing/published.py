"""What business code published: read back from the rows, one value for each call of the front door."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from django.db import connection

from notifications.models import Broadcast, Event
from notifications.types import Priority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One call of `publish_notification` or `publish_batch_notification`."""

    #: Of the event; of the broadcast where there were more recipients than one event takes.
    id: UUID
    template: str
    #: Primary keys as text. Of a named audience: those who have an event so far.
    recipients: tuple[str, ...]
    #: Empty: recipients were named.
    audience: str
    variables: dict[str, Any]
    priority: Priority
    #: As `orders.order:42`; empty: nothing.
    about: str
    action_url: str
    action_text: str
    #: None: all the template has wording for.
    channels: tuple[str, ...] | None
    digest_key: str
    idempotency_key: str | None
    due_at: datetime
    expires_at: datetime | None


class CapturedEvents(Sequence[Published]):
    """What was published since it was made, in order; after `close` it stays as it is."""

    def __init__(self) -> None:
        self._before = {*Event.objects.values_list("pk", flat=True), *Broadcast.objects.values_list("pk", flat=True)}
        self._kept: list[Published] | None = None

    @overload
    def __getitem__(self, index: int) -> Published: ...
    @overload
    def __getitem__(self, index: slice) -> list[Published]: ...
    def __getitem__(self, index: int | slice) -> Published | list[Published]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def close(self) -> None:
        """Let nothing more in."""
        self._kept = self._all()

    def _all(self) -> list[Published]:
        if self._kept is not None:
            return self._kept
        return [published for published in published_so_far() if published.id not in self._before]


@contextmanager
def captured_events() -> Iterator[CapturedEvents]:
    """
    Capture what is published inside the block, committed or not: what is rolled back inside was never said.

    A repetition under the same idempotency key publishes nothing.
    """
    events = CapturedEvents()
    try:
        yield events
    finally:
        # In a broken transaction nobody may ask, and what it holds is about to go.
        if not connection.needs_rollback:
            events.close()


def published_so_far() -> list[Published]:
    """Return everything in the database, in the order it was published."""
    broadcasts = Broadcast.objects.in_bulk()
    events: dict[UUID, list[Event]] = {pk: [] for pk in broadcasts}
    for event in Event.objects.order_by("pk"):
        events.setdefault(event.broadcast_id or event.pk, []).append(event)
    calls = [_published(broadcasts.get(pk), rows) for pk, rows in events.items()]
    return sorted(calls, key=lambda call: call.id)


def _published(broadcast: Broadcast | None, events: list[Event]) -> Published:
    said = broadcast or events[0]
    # A broadcast gives its variables away when all its events have them.
    variables = next((event.variables for event in events if event.variables), said.variables)
    return Published(
        id=said.pk,
        template=said.template_id,
        recipients=tuple(recipient for event in events for recipient in event.recipients),
        audience="" if broadcast is None else broadcast.audience,
        variables=variables,
        priority=Priority(said.priority),
        about=said.about,
        action_url=said.action_url,
        action_text=said.action_text,
        channels=None if said.channels is None else tuple(said.channels),
        digest_key=said.digest_key,
        idempotency_key=next((event.idempotency_key for event in events if event.idempotency_key), None),
        due_at=said.due_at,
        expires_at=said.expires_at,
    )
