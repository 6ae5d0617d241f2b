"""The settings of the system: one dict, `NOTIFICATIONS`, with its defaults and their meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.signals import setting_changed

from notifications.values import Look

MAX_RECIPIENTS_PER_EVENT = 50
#: That of webhooks is Standard Webhooks' own, less what `retry_delays` are.
RETRY_TAILS: Mapping[str, Sequence[float]] = {
    "email": [60, 600, 3600, 21600],
    "webhook": [300, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The values in force. Docs: docs/settings.md."""

    #: Where links in messages lead: scheme and host of this site.
    base_url: str = "http://127.0.0.1:8000"
    #: The sender's name in messages.
    site_name: str = "Notifications"
    #: The colour of buttons and links in e-mails: #rrggbb.
    brand_color: str = "#1d4ed8"
    #: A picture above every e-mail, absolute or a path on this site. Empty: the name of the site.
    logo_url: str = ""
    #: Text below every e-mail, such as a postal address.
    footer: str = ""
    #: Seconds to wait before each retry. Three retries: tries at 0, 2, 6 and 14 s.
    retry_delays: tuple[float, ...] = (2, 4, 8)
    #: Channel → seconds to wait before each further retry, give or take a fifth: for providers that are down for long.
    retry_tails: Mapping[str, Sequence[float]] = field(default_factory=lambda: dict(RETRY_TAILS))
    #: Recipients of one event when a longer list is split.
    chunk_size: int = MAX_RECIPIENTS_PER_EVENT
    #: Named audiences whose events are made at the same time; others wait for their turn.
    broadcasts_at_once: int = 5
    #: Channel → messages per second, over all processes; "default" for the others, 0 for no limit.
    rates: Mapping[str, float] = field(default_factory=lambda: {"default": 100})
    #: Recipients of the events one dispatch drain claims at once, at most: it begins with 50, and takes what it can do in a
    #: fifth of a second.
    dispatch_batch: int = 500
    #: Deliveries one drain claims at once, at most: it begins with 50, and takes what it can do in a second; more than 50
    #: only where the adapter's batch is larger.
    delivery_batch: int = 500
    #: Seconds a claim holds before others may take the row over.
    lease: float = 60
    #: Drains of one channel in one process.
    drains_per_channel: int = 3
    #: Seconds after which a drain lets other wake-ups have its thread.
    drain_time: float = 3
    #: Seconds between two rounds of the clock.
    clock_interval: float = 1
    #: Seconds between two comparisons with the database's clock. 0: trust the machine's own.
    clock_check: float = 60
    #: Days an event is kept after it and all its deliveries are over.
    retention_events_days: float = 1
    #: Days instead, if it or any of its deliveries failed.
    retention_failed_events_days: float = 7
    #: Days after publishing in which an idempotency key counts; its event is kept that long, emptied.
    retention_keys_days: float = 30
    #: Days deliveries and their attempts are kept.
    retention_deliveries_days: float = 90
    #: Days inbox items are kept. None: for ever.
    retention_inbox_days: float | None = None
    #: Reason → days an address is suppressed for it; the others: until staff lift it.
    suppression_days: Mapping[str, float] = field(default_factory=lambda: {"hard_bounce": 180})
    #: Seconds something may be due before `/health/ready` says no.
    ready_lateness: float = 300
    #: What Prometheus has to show to read the metrics. Empty: only requests from this machine may.
    metrics_token: str = field(default="", repr=False)
    #: Redis or Valkey that carries live messages between processes. Empty: they stay in the process.
    realtime_url: str = field(default="", repr=False)
    #: Open streams of one user in one process.
    streams_per_user: int = 6
    #: Open streams of one process.
    streams_per_process: int = 10_000

    #: Provider → secrets that what it tells afterwards is signed with (`whsec_…`; of Twilio, the token of the account);
    #: several while they change.
    callback_secrets: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    #: What one user may ask of the API in a while, reading and the rest; and one API key. As in DRF: "600/min".
    api_rates: Mapping[str, str] = field(
        default_factory=lambda: {"read": "600/min", "write": "300/min", "publish": "1200/min"}
    )
    #: Where push messages may be sent: hosts of browsers' push services, or all below one.
    push_hosts: tuple[str, ...] = (
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "*.push.apple.com",
        "*.notify.windows.com",
    )
    #: Receivers of webhooks and chats of our own: they may be on an inner network, without https, on any port.
    private_hosts: tuple[str, ...] = ()

    def rate(self, channel: str) -> float:
        """Return how many messages per second a channel may send; 0: no limit."""
        return self.rates.get(channel, self.rates.get("default", 0))

    @property
    def look(self) -> Look:
        """Return how e-mails look."""
        logo_url = urljoin(self.base_url, self.logo_url) if self.logo_url else ""
        return Look(brand_color=self.brand_color, logo_url=logo_url, footer=self.footer)

    @property
    def lease_time(self) -> timedelta:
        return timedelta(seconds=self.lease)


KEYS: tuple[str, ...] = tuple(field.name.upper() for field in fields(Config))


@lru_cache(maxsize=1)
def current() -> Config:
    """Return the settings in force. Unknown keys are an error of `manage.py check`, not of this."""
    given: dict[str, Any] = {key.lower(): value for key, value in declared().items() if key in KEYS}
    if "retry_delays" in given:
        given["retry_delays"] = tuple(given["retry_delays"])
    return Config(**given)


def declared() -> dict[str, Any]:
    """Return `NOTIFICATIONS` as the project wrote it."""
    return getattr(settings, "NOTIFICATIONS", {})


def channels() -> dict[str, dict[str, Any]]:
    """Return `NOTIFICATION_CHANNELS` as the project wrote it: name → {"BACKEND": dotted path, "OPTIONS": {…}}."""
    return getattr(settings, "NOTIFICATION_CHANNELS", {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One way of a channel to send, as the project wrote it."""

    path: str
    options: Mapping[str, Any] = field(repr=False)
    #: What attempts, deliveries and pauses call it; empty: attempts say its class, pauses its path.
    name: str

    @property
    def key(self) -> str:
        """What pauses call it."""
        return self.name or self.path


def backends(channel: str) -> tuple[Backend, ...]:
    """Return the backend of a channel and those that stand in for it, in order; nothing if it is not configured."""
    declared = channels().get(channel)
    if declared is None:
        return ()
    return tuple(
        Backend(path=one.get("BACKEND", ""), options=one.get("OPTIONS", {}), name=one.get("NAME", ""))
        for one in (declared, *declared.get("FALLBACKS", ()))
    )


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "NOTIFICATIONS":
        current.cache_clear()


setting_changed.connect(_forget)
