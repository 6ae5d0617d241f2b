"""Links that act for their reader without a login: signed, about one recipient, one category and one channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed
from django.core.signing import BadSignature, Signer
from django.urls import NoReverseMatch, get_urlconf, reverse

from notifications import conf
from notifications.pipeline.safe_tags import absolute_link
from notifications.values import WaysOut

_SALT = "notifications.links"
#: Stands in an address where a token goes.
_TOKEN = "TOKEN"  # noqa: S105 - it is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Whom a link acts for, and about what."""

    #: Primary key as text.
    recipient: str
    category: str
    channel: str

    @property
    def token(self) -> str:
        """The same at any time, and good for ever: a mail may be read years later."""
        return _signer().sign_object([self.recipient, self.category, self.channel])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where tokens act: absolute addresses with a place for one; empty: the project did not mount the page."""

    unsubscribe: str
    preferences: str

    def ways_out(self, token: str) -> WaysOut:
        """Return the addresses for one reader."""
        return WaysOut(
            unsubscribe_url=self.unsubscribe.replace(_TOKEN, token),
            preferences_url=self.preferences.replace(_TOKEN, token),
        )


def pages() -> Pages:
    """Return where tokens act now: asked once for many messages."""
    urlconf, base_url = get_urlconf(), conf.current().base_url
    return Pages(
        unsubscribe=_address("n:unsubscribe", urlconf, base_url),
        preferences=_address("n:preferences", urlconf, base_url),
    )


def read(token: str) -> Link | None:
    """Return what a token stands for; None: it is not ours. Those of secrets before count (SECRET_KEY_FALLBACKS)."""
    try:
        recipient, category, channel = _signer().unsign_object(token)
    except BadSignature:
        return None
    return Link(recipient=recipient, category=category, channel=channel)


@lru_cache(maxsize=8)
def _address(name: str, urlconf: str | None, base_url: str) -> str:
    """Return the absolute address of a page with a place for the token."""
    try:
        return absolute_link(reverse(name, urlconf, args=[_TOKEN]), base_url)
    except NoReverseMatch:
        return ""


@lru_cache(maxsize=1)
def _signer() -> Signer:
    return Signer(salt=_SALT)


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "ROOT_URLCONF":
        _address.cache_clear()
    if setting in {"SECRET_KEY", "SECRET_KEY_FALLBACKS"}:
        _signer.cache_clear()


setting_changed.connect(_forget)
