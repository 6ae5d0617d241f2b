"""Everything we hold about a person as one JSON document, written bit by bit: it is never in memory as a whole."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from notifications.models import Attempt, Delivery, Endpoint, Event, ProviderEvent
from notifications.services import personal_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from notifications.services.personal_data import Person

#: What the document calls itself: raised with every change that readers must know of.
FORMAT, VERSION = "notifications-personal-data", 1
#: Rows of one statement.
BATCH = 500
#: Characters that are sent at once.
CHUNK = 64 * 1024
_CAPITAL = re.compile("(?<!^)(?=[A-Z])")
#: How the system works, not what it holds about somebody; and who of the staff did something.
_LEFT_OUT = frozenset({
    "lease_token", "lease_until", "claims", "request_hash", "address_hash", "attempts_before", "api_key", "recipient",
    *(column.partition(".")[2] for column in personal_data.ACTORS),
})  # fmt: skip
#: Told with the deliveries they belong to.
_NESTED = {Attempt: "tries", ProviderEvent: "provider_events"}


def export(recipient: Any, *, now: datetime) -> Iterator[str]:
    """Yield the parts of the document."""
    whose = personal_data.person(recipient)
    head = {"format": FORMAT, "version": VERSION, "exported_at": now, "recipient": _user(recipient)}
    yield _text(head).removesuffix("}")
    for name, rows in _sections(whose):
        yield f',\n"{name}": ['
        separator = "\n"
        for row in rows:
            yield separator + _text(row)
            separator = ",\n"
        yield "]"
    yield "}\n"


def in_chunks(parts: Iterator[str]) -> Iterator[str]:
    """Return the parts, put together to what is worth sending."""
    waiting: list[str] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= CHUNK:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)


def _sections(whose: Person) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    for model in personal_data.OWNED:
        if model not in _NESTED:
            yield _name(model), _rows(model, whose)
    yield _name(Event), _events(whose)
    yield "direct_delivery", _direct(whose)


def _rows(model: type[Model], whose: Person) -> Iterator[dict[str, Any]]:
    for batch in personal_data.in_batches(personal_data.owned(model, whose), BATCH):
        yield from _deliveries(batch) if model is Delivery else map(_row, batch)


def _events(whose: Person) -> Iterator[dict[str, Any]]:
    """Yield the events that name them, without the others those name."""
    for event in personal_data.walk(personal_data.naming, whose):
        yield {**_row(event), "recipients": [whose.key]}


def _direct(whose: Person) -> Iterator[dict[str, Any]]:
    for delivery in personal_data.walk(personal_data.direct, whose):
        yield from _deliveries([delivery])


def _deliveries(batch: list[Delivery]) -> Iterator[dict[str, Any]]:
    """Yield deliveries with every try of them, and what the provider told afterwards."""
    nested: dict[str, dict[Any, list[dict[str, Any]]]] = {}
    for model, name in _NESTED.items():
        by_delivery = nested[name] = defaultdict(list)
        rows: QuerySet[Any] = model._default_manager.filter(delivery__in=batch)
        for row in rows.order_by("delivery", "pk"):
            by_delivery[row.delivery_id].append(_row(row))
    for delivery in batch:
        yield {**_row(delivery), **{name: rows.get(delivery.pk, []) for name, rows in nested.items()}}


def _row(row: Model) -> dict[str, Any]:
    told = {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in _LEFT_OUT and not (field.name == "delivery" and type(row) in _NESTED)
    }
    if isinstance(row, Endpoint):
        # Whoever has the file could write to it; its owner knows it anyway.
        told |= {"address": "***", "host": row.host}
    return told


def _user(recipient: Any) -> dict[str, Any]:
    email = get_user_model().get_email_field_name()
    return {
        "id": str(recipient.pk),
        "username": recipient.get_username(),
        "email": getattr(recipient, email, ""),
        "name": recipient.get_full_name(),
    }


def _name(model: type[Model]) -> str:
    return _CAPITAL.sub("_", model.__name__).lower()


def _text(value: Iterable[Any]) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
