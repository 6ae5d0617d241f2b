"""What an address that people register must look like. Whether its host may be asked is looked at again when sending."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from django.utils.translation import gettext as _

from notifications import conf
from notifications.channels import guard
from notifications.exceptions import PermanentError, UnsafeLink, WrongPreference
from notifications.inputs import safe_link
from notifications.types import Channel

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
#: RFC 8291 §3: an uncompressed point of P-256, and a secret.
_KEY_BYTES = {"p256dh": 65, "auth": 16}
_UNCOMPRESSED = 4


def url_of(channel: str, address: dict[str, Any]) -> str:
    """Return the URL that messages to an address go to."""
    url: str = address["endpoint" if channel == Channel.WEB_PUSH else "url"]
    return url


def check(channel: str, address: dict[str, Any]) -> None:
    """Raise `WrongPreference` if an address cannot be one of this channel."""
    if channel != Channel.WEB_PUSH:
        _host(address["url"], "address/url")
        return
    host = _host(address["endpoint"], "address/endpoint")
    if not any(_matches(host, known) for known in conf.current().push_hosts):
        message = _("%(host)s is no push service that is known here.") % {"host": host}
        raise WrongPreference(message, field="address/endpoint")
    for name, length in _KEY_BYTES.items():
        key = _decoded(address["keys"][name])
        if key is None or len(key) != length or (name == "p256dh" and key[0] != _UNCOMPRESSED):
            message = _("This is no key of a push subscription: %(length)s bytes in base64url are expected.")
            raise WrongPreference(message % {"length": length}, field=f"address/keys/{name}")


def _host(url: str, field: str) -> str:
    """Return the host of an https URL of the open internet, or of one of ours."""
    try:
        parsed = guard.checked_url(safe_link(url))
    except UnsafeLink as e:
        raise WrongPreference(_("This is no address that can be used; it begins with https://"), field=field) from e
    except PermanentError as e:
        message = _("Use https:// and a host name, without port, user or fragment.")
        raise WrongPreference(message, field=field) from e
    if parsed.fragment:
        message = _("Use https:// and a host name, without port, user or fragment.")
        raise WrongPreference(message, field=field)
    return guard.host_of(parsed)


def _matches(host: str, known: str) -> bool:
    return host.endswith(known[1:]) if known.startswith("*.") else host == known


def _decoded(text: str) -> bytes | None:
    """Return what a text in base64url (RFC 4648 §5) stands for, with or without padding; None: it is none."""
    bare = text.rstrip("=")
    if not _BASE64URL.fullmatch(bare):
        return None
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return None
