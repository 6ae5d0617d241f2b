"""How single values look in lists and on pages: times, addresses, JSON, links."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from notifications.types import DeliveryState, EventState

if TYPE_CHECKING:
    from django.utils.safestring import SafeString


_STATES = {**dict(EventState.choices), **dict(DeliveryState.choices)}


def masked(address: str) -> str:
    """Return an address so that its owner would know it and nobody else could use it."""
    if "://" in address:
        scheme, _, rest = address.partition("://")
        return f"{scheme}://{re.split('[/?#]', rest)[0].rpartition('@')[2]}/***"
    if "@" in address:
        name, _, domain = address.rpartition("@")
        return f"{name[:1]}***@{domain}"
    return f"{address[:3]}***{address[-2:]}" if len(address) > 7 else "***" * bool(address)


@lru_cache
def at(field: str) -> Callable[[Any], str]:
    """Return a column that shows a time to the second, in a form that lines up."""

    @admin.display(description=gettext_lazy(field.replace("_", " ")))
    def shown(obj: Any) -> str:
        value = getattr(obj, field)
        return localtime(value).strftime("%Y-%m-%d %H:%M:%S") if value else "-"

    shown.__name__ = field
    return shown


def pretty(value: Any) -> SafeString:
    """Return JSON for people."""
    return format_html("<pre>{}</pre>", json.dumps(value, ensure_ascii=False, indent=2))


@admin.display(description=gettext_lazy("state"))
def state(obj: Any) -> SafeString:
    """Return where a delivery or an event is, as a label that its colour tells from the others."""
    return format_html('<span class="log-state" data-state="{}">{}</span>', obj.state, _STATES[obj.state])


def link_to_list(model: type[Model], text: Any, **filters: Any) -> SafeString:
    """Return a link to the list of a model, narrowed to what belongs here."""
    return link(address_of_list(model, **filters), text)


def address_of_list(model: type[Model], **filters: Any) -> str:
    """Return the address of the list of a model, narrowed to what belongs here."""
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in filters.items()})
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{query.urlencode()}"


def link(address: str, text: Any) -> SafeString:
    """Return a link to a page of our own."""
    return format_html('<a href="{}">{}</a>', address, text)


def link_to(model: type[Model], pk: Any, text: Any) -> SafeString:
    """Return a link to the page of one row."""
    return link(page_of(model, pk), text)


def page_of(model: type[Model], pk: Any) -> str:
    """Return the address of the page of one row."""
    # Quoted: in the admin's addresses, _3A stands for a colon, and a code may end like that.
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(pk)])


def to_the_second(names: Any) -> list[Any]:
    """Return the fields of a page or list, with times to the second: retries are seconds apart."""
    return [at(name) if str(name).endswith(("_at", "_until")) else name for name in names]
