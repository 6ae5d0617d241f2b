"""System checks: wrong settings fail at start-up, with the fix."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from notifications import conf, registry
from notifications.channels.base import ChannelAdapter
from notifications.types import Channel


def register() -> None:
    """Register every check of this module."""
    for check in (check_keys, check_channels, check_leases, check_middleware, check_realtime):
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
    for name in conf.channels():
        try:
            if name not in sendable:
                raise ValueError(f"no channel {name!r}{registry.did_you_mean(name, sendable)}")  # noqa: TRY301
            adapter = registry.adapter(name)
            if not isinstance(adapter, ChannelAdapter):
                raise TypeError(f"{type(adapter).__name__} is no ChannelAdapter")  # noqa: TRY301
        except (ImproperlyConfigured, ValueError, TypeError) as e:
            hint = f"Channels are: {', '.join(sendable)}; each needs a BACKEND and its OPTIONS."
            found.append(checks.Error(f"NOTIFICATION_CHANNELS[{name!r}]: {e}", hint=hint, id="notifications.E002"))
    return found


def check_leases(**_: Any) -> list[CheckMessage]:
    """E003: a lease that could run out while a message is being sent."""
    found: list[CheckMessage] = []
    if check_channels():
        return found
    for name in conf.channels():
        needed = 4 * registry.adapter(name).send_timeout
        if conf.current().lease_time < needed:
            hint = f"Set NOTIFICATIONS['LEASE'] to at least {needed.total_seconds():g} seconds."
            message = f"The lease is shorter than four times the send time-out of the channel {name!r}."
            found.append(checks.Error(message, hint=hint, id="notifications.E003"))
    return found


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
