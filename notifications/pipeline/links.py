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


def unsubscribe_url(token: str) -> str:
    """Return where a token unsubscribes; empty: there is no token, or the project did not mount the page."""
    return _address("n:unsubscribe", get_urlconf(), conf.current().base_url).replace(_TOKEN, token) if token else ""


def preferences_url(token: str) -> str:
    """Return where a token shows preferences; empty: there is no token, or the project did not mount the page."""
    return _address("n:preferences", get_urlconf(), conf.current().base_url).replace(_TOKEN, token) if token else ""


def read(token: str) -> Link | None:
    """Return what a token stands for; None: it is not ours. Those of secrets before count (SECRET_KEY_FALLBACKS)."""
    try:
        recipient, category, channel = _signer().unsign_object(token)
    except BadSignature:
        return None
    return Link(recipient=recipient, category=category, channel=channel)


@lru_cache(maxsize=8)
def _address(name: str, urlconf: str | None, base_url: str) -> str:
    """Return the absolute address of a page with a place for the token: made once, there is one for each message."""
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
