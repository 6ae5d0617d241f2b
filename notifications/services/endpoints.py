"""The addresses that people register themselves: browsers for push, chat rooms, receivers of webhooks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from notifications.channels import addresses
from notifications.channels.webhook import WebhookChannel
from notifications.exceptions import WrongPreference
from notifications.models import Endpoint
from notifications.models.endpoints import REGISTERED
from notifications.registry import adapter, channel_names, did_you_mean
from notifications.services.consent import Change, changing, note
from notifications.types import Channel

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from notifications.services.consent import Origin

#: Addresses of one person.
MAX_ENDPOINTS = 20


def of(recipient: Any) -> QuerySet[Endpoint]:
    """Return a person's addresses, the newest first."""
    return Endpoint.objects.filter(recipient=recipient).order_by("-created_at", "-pk")


def vapid_public_key() -> str:
    """Return the key that browsers subscribe with; empty: they cannot be told by push here."""
    if Channel.WEB_PUSH not in channel_names():
        return ""
    return str(getattr(adapter(Channel.WEB_PUSH), "public_key", ""))


def signing_key(endpoint: Endpoint) -> str:
    """Return what the owner of a receiver of webhooks checks signatures by; empty: it is none, or nothing is signed."""
    if endpoint.channel != Channel.WEBHOOK or Channel.WEBHOOK not in channel_names():
        return ""
    webhooks = adapter(Channel.WEBHOOK)
    return webhooks.secret_for(endpoint.pk.hex) if isinstance(webhooks, WebhookChannel) else ""


def register(
    recipient: Any, *, channel: str, address: dict[str, Any], label: str = "", now: datetime, origin: Origin
) -> tuple[Endpoint, bool]:
    """
    Give a person an address on a channel; return it, and whether it is new.

    What is registered already gets its keys and its label anew, and works again. A browser that somebody else used
    before is this person's from now on. Raise `WrongPreference` for what cannot be one.
    """
    if channel not in REGISTERED:
        known = ", ".join(REGISTERED)
        message = (
            f"No channel {channel!r} with addresses to register{did_you_mean(channel, REGISTERED)}; there are: {known}."
        )
        raise WrongPreference(message, field="channel")
    if channel not in channel_names():
        message = _("The channel %(channel)s is not set up here.") % {"channel": Channel(channel).label}
        raise WrongPreference(message, field="channel")
    addresses.check(channel, address)
    key: dict[str, Any] = {"channel": channel, "address_hash": _hash(addresses.place_of(channel, address))}
    if channel != Channel.WEB_PUSH:
        # Two people may have the same room, and nobody can take it from the other.
        key["recipient_id"] = recipient.pk
    values = {"recipient": recipient, "address": address, "label": label, "disabled_at": None}
    with changing(recipient):
        former = Endpoint.objects.select_for_update(of=["self"]).filter(**key).select_related("recipient").first()
        is_new = former is None or former.recipient_id != recipient.pk
        if is_new:
            _check_room(recipient)
            values |= {"created_at": now, "last_used_at": None}
        # Two people may register a browser at the same instant: the later has it.
        row, _created = Endpoint.objects.update_or_create(**key, defaults=values)
        if former is not None and is_new:
            note(former.recipient, [_line(former, before=former.host)], now=now, origin=origin)
        if is_new:
            note(recipient, [_line(row, after=row.host)], now=now, origin=origin)
    return row, is_new


def remove(endpoint: Endpoint, *, now: datetime, origin: Origin) -> None:
    """Forget an address."""
    with changing(endpoint.recipient):
        number, _rows = Endpoint.objects.filter(pk=endpoint.pk, recipient=endpoint.recipient).delete()
        if number:
            note(endpoint.recipient, [_line(endpoint, before=endpoint.host)], now=now, origin=origin)


def _check_room(recipient: Any) -> None:
    if of(recipient).count() >= MAX_ENDPOINTS:
        message = _("You have %(number)s addresses already; remove one first.") % {"number": MAX_ENDPOINTS}
        raise WrongPreference(message)


def _line(endpoint: Endpoint, *, before: str = "", after: str = "") -> Change:
    return Change(subject=f"endpoint:{endpoint.pk}", channel=endpoint.channel, before=before, after=after)


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
