"""
Which addresses of others we send to: https, by name, on the open internet, and nothing of our own network.

What people register is a way to make this site's servers ask for things (server-side request forgery). A URL is looked at
before each request; the addresses its name stands for are looked at by `network`, which connects to those and no others.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

import httpx

from notifications import conf
from notifications.exceptions import PermanentError
from notifications.types import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

#: RFC 1123 names with a dot, the last part beginning with a letter: no IP address in any notation passes.
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
#: Of IPv4, all but what IANA's registry of special addresses (RFC 6890) and clouds keep for themselves.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own, on every machine there
        "169.254.0.0/16",  # also the metadata of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
#: Of IPv6, nothing but what is given out, less what stands for something else.
_PUBLIC_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",
        "3ffe::/16",
    )
)
#: RFC 6052: the last 32 bits are the IPv4 address that a NAT64 asks. Where there is no IPv4, all names stand for these.
_NAT64 = IPv6Network("64:ff9b::/96")


def checked_url(url: str) -> httpx.URL:
    """Return the URL as it will be asked; raise `PermanentError` unless it may be. Looks nothing up."""
    if not url.isascii():
        # RFC 3986 §2: a name in another script comes as xn--…, and digits of other scripts do not come at all.
        raise _refused(code="bad_url")
    try:
        parsed = httpx.URL(url)
        host, port = host_of(parsed), parsed.port
    except (httpx.InvalidURL, ValueError) as e:
        raise _refused(code="bad_url") from e
    if parsed.userinfo:
        raise _refused(code="bad_url")
    if is_private_host(host) and parsed.scheme in {"http", "https"}:
        return parsed
    # The port of https is None, also when it was written.
    if parsed.scheme != "https" or port is not None or not is_public_name(host):
        raise _refused(code="bad_url")
    return parsed


def host_of(url: httpx.URL) -> str:
    """Return the host that is asked: in lower case, without brackets."""
    return url.raw_host.decode("ascii").lower()


def is_public_name(host: str) -> bool:
    """Tell whether a host is a full name of the open internet, as far as can be seen: no address, nothing local."""
    return _HOST.fullmatch(host) is not None


def is_private_host(host: str) -> bool:
    """Tell whether the settings say that this host is one of ours."""
    return host in conf.current().private_hosts


def check_addresses(host: str, addresses: Iterable[str]) -> None:
    """Raise `PermanentError` unless every address a name stands for is public, or the host is one of ours."""
    if not is_private_host(host) and not all(is_public(address) for address in addresses):
        raise _refused(code="private_address")


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet. `ipaddress.is_global` lets many in that are not."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        inner = _inner(parsed)
        if inner is None:
            return parsed in _PUBLIC_V6 and not any(parsed in network for network in _NOT_PUBLIC_V6)
        parsed = inner
    return not any(parsed in network for network in _NOT_PUBLIC_V4)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that is asked in truth."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def _refused(*, code: str) -> PermanentError:
    """Return the error of an address we do not send to. It says nothing of it: why is none of a stranger's business."""
    return PermanentError("We do not send to this address.", code=code, reason=Reason.INVALID_ADDRESS)
