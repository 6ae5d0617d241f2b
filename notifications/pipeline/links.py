"""Links that act for their reader without a login: signed, about one recipient, one category and one channel."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.urls import NoReverseMatch, reverse

from notifications import conf
from notifications.pipeline.safe_tags import absolute_link

_SALT = "notifications.links"


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
        return Signer(salt=_SALT).sign_object([self.recipient, self.category, self.channel])

    @property
    def unsubscribe_url(self) -> str:
        return _absolute("n:unsubscribe", self.token)

    @property
    def preferences_url(self) -> str:
        return _absolute("n:preferences", self.token)


def read(token: str) -> Link | None:
    """Return what a token stands for; None: it is not ours. Those of secrets before count (SECRET_KEY_FALLBACKS)."""
    try:
        recipient, category, channel = Signer(salt=_SALT).unsign_object(token)
    except BadSignature:
        return None
    return Link(recipient=recipient, category=category, channel=channel)


def _absolute(name: str, token: str) -> str:
    """Return the address of a page; empty: the project did not mount it."""
    try:
        path = reverse(name, args=[token])
    except NoReverseMatch:
        return ""
    return absolute_link(path, conf.current().base_url)
