"""What business code published: read back from the rows, one value for each call of the front door."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from django.contrib.auth import get_user_model
from django.db import connection

from notifications.models import Broadcast, Event
from notifications.pipeline.drafting import object_named
from notifications.pipeline.recipients import key_of
from notifications.pipeline.wording import contract
from notifications.types import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from uuid import UUID

    from django.db.models import Model

#: Recipients a message names; of the rest, the number.
SHOWN = 5


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


def assert_published(
    template: str,
    *,
    recipient: Any = None,
    audience: str | None = None,
    about: Model | str | None = None,
    variables: dict[str, Any] | None = None,
    times: int = 1,
    among: Iterable[Published] | None = None,
) -> list[Published]:
    """
    Return what was published like that; fail, showing all that was published, if it is not so many `times`.

    `recipient`: a user or a primary key, who may be one of many. `variables`: these, whatever others there are.
    `among`: what `captured_events` gave; None: everything in the database. A template there is not is an error, so that
    a slip of the pen does not pass as `times=0`.
    """
    __tracebackhide__ = True
    wanted = _Wanted(
        template=contract(template).code,
        recipient=None if recipient is None else key_of(recipient),
        audience=audience,
        about=None if about is None else object_named(about),
        variables=variables or {},
    )
    everything = published_so_far() if among is None else list(among)
    found = [published for published in everything if wanted.fits(published)]
    if len(found) != times:
        names = _names({key for published in everything for key in published.recipients} | {wanted.recipient or ""})
        told = "".join(f"\n  {_line(published, names)}" for published in everything)
        said = f"Published was:{told}" if told else "Nothing was published."
        message = f"Published {len(found)} ×, not {times} ×: {wanted.line(names)}\n{said}"
        raise AssertionError(message)
    return found


def published_so_far() -> list[Published]:
    """Return everything in the database, in the order it was published."""
    broadcasts = Broadcast.objects.in_bulk()
    events: dict[UUID, list[Event]] = {pk: [] for pk in broadcasts}
    for event in Event.objects.order_by("pk"):
        events.setdefault(event.broadcast_id or event.pk, []).append(event)
    calls = [_published(broadcasts.get(pk), rows) for pk, rows in events.items()]
    return sorted(calls, key=lambda call: call.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What an assertion looks for; None: anything."""

    template: str
    recipient: str | None
    audience: str | None
    about: str | None
    variables: dict[str, Any]

    def fits(self, published: Published) -> bool:
        return (
            published.template == self.template
            and (self.recipient is None or self.recipient in published.recipients)
            and (self.audience is None or self.audience == published.audience)
            and (self.about is None or self.about == published.about)
            and self.variables.items() <= published.variables.items()
        )

    def line(self, names: dict[str, str]) -> str:
        recipients = () if self.recipient is None else (self.recipient,)
        return _worded(self.template, recipients, self.audience or "", self.about or "", self.variables, names)


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
        idempotency_key=next((event.idempotency_key for event in events if event.idempotency_key), None),
        due_at=said.due_at,
        expires_at=said.expires_at,
    )


def _names(keys: set[str]) -> dict[str, str]:
    users = get_user_model()._default_manager.filter(pk__in=keys - {""})
    return {str(user.pk): str(user) for user in users}


def _line(published: Published, names: dict[str, str]) -> str:
    return _worded(
        published.template, published.recipients, published.audience, published.about, published.variables, names
    )


def _worded(
    template: str,
    recipients: tuple[str, ...],
    audience: str,
    about: str,
    variables: dict[str, Any],
    names: dict[str, str],
) -> str:
    people = [names.get(key, f"user {key}") for key in recipients[:SHOWN]]
    if len(recipients) > SHOWN:
        people.append(f"{len(recipients) - SHOWN} more")
    if audience:
        people.insert(0, f"the audience {audience!r}")
    told = f" to {', '.join(people)}" if people else ""
    subject = f" about {about}" if about else ""
    return f"{template}{told}{subject}{f' with {variables!r}' if variables else ''}"
