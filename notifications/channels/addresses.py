"""What an address that people register must look like. Whether its host may be asked is looked at again when sending."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeGuard

from django.utils.translation import gettext as _

from notifications import conf
from notifications.channels import base64url, guard
from notifications.exceptions import PermanentError, UnsafeLink, WrongPreference
from notifications.inputs import safe_link
from notifications.types import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What Firebase gives an app: no two are alike in length, and nobody promises what they look like.
_TOKEN = re.compile(r"[A-Za-z0-9_:-]{20,1024}")
#: RFC 8291 §3: an uncompressed point of P-256, and a secret.
_KEY_BYTES = {"p256dh": 65, "auth": 16}
_UNCOMPRESSED = 4


def place_of(channel: str, address: Mapping[str, Any]) -> str:
    """Return where messages to an address go: a URL, or the token of an app. No two addresses share it."""
    place: str = address["url"] if channel != Channel.WEB_PUSH else address.get("endpoint") or address["token"]
    return place


def is_push_service(host: str) -> bool:
    """Tell whether push messages may be sent to a host."""
    return any(_matches(host, known) for known in conf.current().push_hosts)


def is_device_token(token: object) -> TypeGuard[str]:
    """Tell whether something is what an app gets from Firebase to be reached by."""
    return isinstance(token, str) and _TOKEN.fullmatch(token) is not None


def check(channel: str, address: Mapping[str, Any]) -> None:
    """Raise `WrongPreference` if an address cannot be one of this channel."""
    if channel != Channel.WEB_PUSH:
        _host(address["url"], "address/url")
    elif "token" in address:
        _check_token(address["token"])
    else:
        _check_subscription(address)


def _check_token(token: str) -> None:
    if not is_device_token(token):
        raise WrongPreference(_("This is no token of an app."), field="address/token")


def _check_subscription(address: Mapping[str, Any]) -> None:
    host = _host(address["endpoint"], "address/endpoint")
    if not is_push_service(host):
        message = _("%(host)s is no push service that is known here.") % {"host": host}
        raise WrongPreference(message, field="address/endpoint")
    for name, length in _KEY_BYTES.items():
        key = base64url.decode(address["keys"][name])
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
