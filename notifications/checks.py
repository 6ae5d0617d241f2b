"""System checks: wrong settings fail at start-up, with the fix."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from notifications import conf, registry
from notifications.channels.base import ChannelAdapter
from notifications.models.deliveries import MAX_BACKEND
from notifications.types import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOR = re.compile("#[0-9a-fA-F]{6}")


def register() -> None:
    """Register every check of this module."""
    for check in (
        check_keys,
        check_channels,
        check_leases,
        check_channel_keys,
        check_fallbacks,
        check_options,
        check_look,
        check_middleware,
        check_realtime,
    ):
        checks.register(check, "notifications")


def check_keys(**_: Any) -> list[CheckMessage]:
    """E001: an unknown key in NOTIFICATIONS."""
    return [
        checks.Error(
            f"NOTIFICATIONS has no key {key!r}{registry.did_you_mean(key, conf.KEYS)}.",
            hint=f"There are: {', '.join(conf.KEYS)}.",
            id="notifications.E001",
        )
        for key in conf.declared()
        if key not in conf.KEYS
    ]


def check_channels(**_: Any) -> list[CheckMessage]:
    """E002: a channel that cannot be used as it is configured."""
    found: list[CheckMessage] = []
    sendable = [channel for channel in Channel.values if channel != Channel.IN_APP]
    hint = f"Channels are: {', '.join(sendable)}; each needs a BACKEND and its OPTIONS."
    for name in conf.channels():
        if name not in sendable:
            message = f"{registry.where(name, 0)}: no channel {name!r}{registry.did_you_mean(name, sendable)}"
            found.append(checks.Error(message, hint=hint, id="notifications.E002"))
            continue
        for number in range(len(conf.backends(name))):
            try:
                adapter = registry.adapter(name, number)
            except ImproperlyConfigured as e:
                found.append(checks.Error(str(e), hint=hint, id="notifications.E002"))
                continue
            if not isinstance(adapter, ChannelAdapter):
                message = f"{registry.where(name, number)}: {type(adapter).__name__} is no ChannelAdapter"
                found.append(checks.Error(message, hint=hint, id="notifications.E002"))
    return found


def check_leases(**_: Any) -> list[CheckMessage]:
    """E003: a lease that could run out while a message is being sent."""
    found: list[CheckMessage] = []
    for name, number, adapter in _adapters():
        needed = 4 * adapter.send_timeout
        if conf.current().lease_time < needed:
            hint = f"Set NOTIFICATIONS['LEASE'] to at least {needed.total_seconds():g} seconds."
            message = f"The lease is shorter than four times the send time-out of {registry.where(name, number)}."
            found.append(checks.Error(message, hint=hint, id="notifications.E003"))
    return found


def check_channel_keys(**_: Any) -> list[CheckMessage]:
    """E004: a key that no channel, or no backend that stands in, has."""
    found: list[CheckMessage] = []
    for name, declared in conf.channels().items():
        for number, one in enumerate((declared, *declared.get("FALLBACKS", ()))):
            known = ("BACKEND", "OPTIONS", "NAME") if number else ("BACKEND", "OPTIONS", "NAME", "FALLBACKS")
            for key in one:
                if key not in known:
                    message = f"{registry.where(name, number)} has no key {key!r}{registry.did_you_mean(key, known)}."
                    hint = f"There are: {', '.join(known)}."
                    found.append(checks.Error(message, hint=hint, id="notifications.E004"))
    return found


def check_fallbacks(**_: Any) -> list[CheckMessage]:
    """E005: two backends of a channel that pauses and the log cannot tell apart, or a name that cannot be kept."""
    found: list[CheckMessage] = []
    for name in conf.channels():
        seen: set[str] = set()
        for number, backend in enumerate(conf.backends(name)):
            if backend.key in seen or len(backend.name) > MAX_BACKEND:
                message = f"{registry.where(name, number)} needs a name of its own."
                hint = f"Give it a NAME, such as 'standby', of at most {MAX_BACKEND} characters."
                found.append(checks.Error(message, hint=hint, id="notifications.E005"))
            seen.add(backend.key)
    return found


def check_options(**_: Any) -> list[CheckMessage]:
    """E006: an option that the adapter itself finds wrong."""
    return [
        checks.Error(f"{registry.where(name, number)}: {wrong}.", id="notifications.E006")
        for name, number, adapter in _adapters()
        for wrong in adapter.check()
    ]


def check_look(**_: Any) -> list[CheckMessage]:
    """E007: a colour of e-mails that is none."""
    if _COLOR.fullmatch(conf.current().brand_color):
        return []
    hint = "Write it as #rrggbb, such as #1d4ed8."
    return [checks.Error("NOTIFICATIONS['BRAND_COLOR'] is no colour.", hint=hint, id="notifications.E007")]


def _adapters() -> Iterator[tuple[str, int, ChannelAdapter]]:
    """Yield every adapter that can be made; of the others, check_channels tells."""
    for name in conf.channels():
        for number in range(len(conf.backends(name))):
            with suppress(ImproperlyConfigured):
                adapter = registry.adapter(name, number)
                if isinstance(adapter, ChannelAdapter):
                    yield name, number, adapter


def check_middleware(**_: Any) -> list[CheckMessage]:
    """W001: Dramatiq middleware that harms us (docs/operations.md says how)."""
    middleware = getattr(settings, "DRAMATIQ_BROKER", {}).get("MIDDLEWARE", [])
    names = [item if isinstance(item, str) else type(item).__name__ for item in middleware]
    harmful = ("AdminMiddleware", "TimeLimit", "AgeLimit", "Prometheus")
    return [
        checks.Warning(
            f"DRAMATIQ_BROKER uses {name}.",
            hint="Take it out of MIDDLEWARE: the database row is the job, see docs/operations.md.",
            id="notifications.W001",
        )
        for name in names
        if name.rpartition(".")[2] in harmful
    ]


def check_realtime(**_: Any) -> list[CheckMessage]:
    """W002: live messages that stay in a worker's process, where no browser listens."""
    broker = getattr(settings, "DRAMATIQ_BROKER", {}).get("BROKER", "")
    if conf.current().realtime_url or broker.rpartition(".")[2] in {"", "EmbeddedBroker", "StubBroker"}:
        return []
    return [
        checks.Warning(
            "Workers run in processes of their own, and NOTIFICATIONS['REALTIME_URL'] is empty.",
            hint="Name a Redis or Valkey there (REDIS_URL does), or browsers only learn of what is new by polling.",
            id="notifications.W002",
        )
    ]
