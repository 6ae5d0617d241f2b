"""What a preview is filled in with: the samples of a template, or a recent real event, of which nobody can be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from notifications.models import Event

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.models import Template

#: How many events are offered, and among how many of the newest they are looked for: the table may be huge.
OFFERED, LOOKED_AT = 10, 2000
MASK = "•••"

_EMAIL = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+")
#: Phone numbers, accounts, cards: seven digits, however they are set.
_DIGITS = re.compile(r"\+?\d(?:[ ()/.-]?\d){6,}")
#: What follows the path of an address is often a key to somebody's page.
_SECRET_PART = re.compile(r"(https?://[^\s?#]+)[?#]\S+")
#: Names of variables that hold something of a person, whatever it looks like.
_PERSONAL = re.compile(
    r"(^|_)(address|birthday|city|code|email|first_name|full_name|iban|last_name|name|password|phone|postcode|street"
    r"|surname|token|user|username|zip)$",
    re.IGNORECASE,
)
#: Names of things, not of people.
_OF_THINGS = re.compile(r"(^|_)(product|item|site|shop|carrier|category)_(name|code)$|^currency_code$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """An event whose variables a preview may take."""

    id: UUID
    #: Aware, UTC.
    created_at: datetime


def recent(template: Template) -> list[Recent]:
    """Return the newest events of a template, if there are any among the last of all."""
    newest = Event.objects.order_by("-pk").values("pk")[:LOOKED_AT]
    rows = Event.objects.filter(pk__in=newest, template=template, emptied_at__isnull=True).order_by("-pk")
    return [Recent(id=pk, created_at=at) for pk, at in rows.values_list("pk", "created_at")[:OFFERED]]


def event(template: Template, chosen: str) -> Event:
    """
    Return an event, which is not stored, with the samples of a template, or with the masked variables of a recent one.

    `chosen` is its id. One that is gone, is emptied, or is another template's: the samples.
    """
    link = {"action_url": "/", "action_text": ""}
    found = _found(template, chosen)
    if found is None:
        return Event(template=template, variables=template.sample(), **link)
    if found.action_url:
        link = {"action_url": _SECRET_PART.sub(r"\1", found.action_url), "action_text": found.action_text}
    # What it lacks is taken from the samples: a variable may have been declared since.
    variables = {**template.sample(), **masked(found.variables)}
    return Event(template=template, variables=variables, **link)


def masked(value: Any, name: str = "") -> Any:
    """Return variables so that nobody can be told by them; `name` is what the value is called."""
    if isinstance(value, dict):
        return {key: masked(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [masked(one, name) for one in value]
    if not isinstance(value, str) or not value:
        return value
    if _PERSONAL.search(name) and not _OF_THINGS.search(name):
        return value[:1] + MASK
    return _DIGITS.sub(MASK, _EMAIL.sub(MASK, _SECRET_PART.sub(r"\1", value)))


def _found(template: Template, chosen: str) -> Event | None:
    try:
        pk = UUID(chosen)
    except ValueError:
        return None
    return Event.objects.filter(pk=pk, template=template, emptied_at__isnull=True).first()
