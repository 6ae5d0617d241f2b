"""Who is meant: users as business code names them → primary keys as text, each once, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from notifications.exceptions import WrongRecipients

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Rows read at once from a queryset: what is held in memory, however many there are.
READ_ROWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The recipients of one event."""

    recipients: list[str]
    #: How often somebody was named again while they were collected.
    duplicate_count: int


def chunks(given: Iterable[Any] | QuerySet[Any], *, size: int) -> Iterator[Chunk]:
    """
    Return the recipients in chunks of `size`; raise `WrongRecipients` at what is no user.

    A queryset is read bit by bit, by primary key. Of anything else, every key is remembered, to know it again.
    """
    collected: list[str] = []
    duplicates = 0
    for key, again in _each(given):
        if again:
            duplicates += 1
            continue
        if len(collected) == size:
            yield Chunk(recipients=collected, duplicate_count=duplicates)
            collected, duplicates = [], 0
        collected.append(key)
    if collected:
        yield Chunk(recipients=collected, duplicate_count=duplicates)


def key_of(recipient: Any) -> str:
    """Return the primary key of a user, or of who has it, as text: what an event stores."""
    return _key_of(recipient, get_user_model())


def _key_of(recipient: Any, user_model: type[Model]) -> str:
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


def users_of(rows: Any, what: str) -> QuerySet[Any]:
    """Return a queryset of users, by primary key; raise `WrongRecipients` if it is none. `what` it is called."""
    user_model = get_user_model()
    users: QuerySet[Any] = rows
    if not isinstance(rows, QuerySet) or rows.model is not user_model:
        found = f"a queryset of {rows.model.__name__}" if isinstance(rows, QuerySet) else f"a {type(rows).__name__}"
        raise WrongRecipients(f"{what} is {found}, not a queryset of users.")
    query = rows.query
    if query.is_sliced or query.combinator or query.distinct_fields:
        # Those cannot be put into another order.
        users = user_model._default_manager.filter(pk__in=rows.values("pk"))
    return users.order_by("pk")


def _each(given: Iterable[Any] | QuerySet[Any]) -> Iterator[tuple[str, bool]]:
    """Return each key, and whether it was there before."""
    if isinstance(given, QuerySet):
        previous = None
        for pk in users_of(given, "`recipients`").values_list("pk", flat=True).iterator(chunk_size=READ_ROWS):
            yield str(pk), pk == previous
            previous = pk
        return
    seen: set[str] = set()
    user_model = get_user_model()
    for recipient in given:
        key = _key_of(recipient, user_model)
        yield key, key in seen
        seen.add(key)
