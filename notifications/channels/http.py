"""Requests to providers: bounded in time and size, and clear about whether anything was sent."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpcore
import httpx

from notifications import clock
from notifications.channels import guard, network
from notifications.channels.retry_after import parse
from notifications.exceptions import (
    AmbiguousError,
    DeliveryError,
    MisconfiguredError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from notifications.types import Reason

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

# When a project logs everything, it tells the headers of answers, which may repeat where we asked.
logging.getLogger("httpcore").setLevel(logging.INFO)

#: Bytes of an answer that are read: what tells of success or error is short.
MAX_BODY = 64 * 1024
#: Connections of one adapter, and those that are kept for the next message, so many seconds.
CONNECTIONS, KEPT, KEPT_SECONDS = 20, 10, 15.0
#: A provider's own word for an error. Anything else may be anything, also what we sent.
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer: its first 64 KB."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_success(self) -> bool:
        """2xx only: we follow no redirect."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return what the body says; None if it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def word(self, name: str) -> str:
        """Return a text or number of the JSON object that the body is, such as an id or an error's code; else ""."""
        found = self.json()
        value = found.get(name) if isinstance(found, dict) else None
        return safe_code(value)


class Http:
    """
    Connections of one adapter, kept open between messages; for use by any number of threads, also after a fork.

    `guarded`: the URLs come from outside, see `guard`. Redirects are not followed, proxies and other settings from the
    environment not used, cookies not kept, compressed answers not asked for and not unpacked. It is httpx without its
    client, which does all that, and writes URLs to the log: many of ours are secrets.
    """

    def __init__(
        self,
        *,
        timeout: timedelta,
        guarded: bool = False,
        resolve: network.Resolve = network.lookup,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = timeout.total_seconds()
        self._is_guarded = guarded
        self._network = network.Network(guarded=guarded, resolve=resolve)
        self._tls = tls
        #: By process: a child of a fork must not speak, nor say goodbye, on its parent's connections.
        self._transports: dict[int, _Transport] = {}

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Response:
        """
        Ask and return the answer, whatever its status.

        Raise `TransientError` if nothing was sent, `AmbiguousError` if no answer came to what was sent, and
        `PermanentError` if the URL may not be asked.
        """
        target = guard.checked_url(url) if self._is_guarded else httpx.URL(url)
        limits = {"connect": self._seconds, "read": self._seconds, "write": self._seconds, "pool": self._seconds}
        request = httpx.Request(
            method,
            target,
            headers={"Accept-Encoding": "identity", "User-Agent": "notifications", **(headers or {})},
            content=content,
            extensions={"timeout": limits},
        )
        token = network.deadline.set(time.monotonic() + self._seconds)
        try:
            return self._ask(request)
        finally:
            network.deadline.reset(token)

    def close(self) -> None:
        """Let go of the connections; the next request makes new ones."""
        transport = self._transports.pop(os.getpid(), None)
        if transport is not None:
            transport.close()

    def _ask(self, request: httpx.Request) -> Response:
        try:
            answer = self._transport().handle_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as e:
            what = "The server could not be reached."
            raise TransientError(what, code=type(e).__name__) from e
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as e:
            what = "This cannot be sent by HTTP."
            raise PermanentError(what, code=type(e).__name__) from e
        except httpx.TransportError as e:
            what = "The server gave no answer."
            raise AmbiguousError(what, code=type(e).__name__) from e
        with closing(answer):
            return Response(status=answer.status_code, headers=answer.headers, body=_beginning(answer))

    def _transport(self) -> _Transport:
        pid = os.getpid()
        # Without a lock, which a fork could find locked. Of two threads that make one, one's is used.
        return self._transports.get(pid) or self._transports.setdefault(pid, _Transport(self._network, self._tls))


class _Transport(httpx.HTTPTransport):
    """httpx's, on a network of ours: its pool takes one (httpcore, "Network Backends"), but httpx has no option for it."""

    def __init__(self, backend: httpcore.NetworkBackend, tls: ssl.SSLContext | None) -> None:
        context = tls or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=CONNECTIONS,
            max_keepalive_connections=KEPT,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=backend,
        )


def _beginning(answer: httpx.Response) -> bytes:
    """Return what of the body came, up to its limit: the status is known, so what is cut off here is no failure."""
    body = bytearray()
    try:
        for chunk in cast("Iterable[bytes]", answer.stream):
            body += chunk
            if len(body) >= MAX_BODY:
                break
    except httpx.TransportError:
        pass
    return bytes(body[:MAX_BODY])


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long the headers of an answer ask to wait."""
    return parse(headers.get("retry-after", ""), clock.now())


def safe_code(value: object) -> str:
    """Return a provider's own word for an error, or its id of a message; nothing if it does not look like one."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _CODE.fullmatch(text) else ""


def error_of(
    status: int,
    code: str = "",
    detail: str = "The provider",
    headers: Mapping[str, str] | None = None,
    *,
    is_endpoint: bool = False,
) -> DeliveryError:
    """
    Return the error that a status stands for, where a provider's own code says no more.

    `detail` names the provider. `is_endpoint`: the URL is a person's address, so a refusal is of that address, and not of
    our credentials.
    """
    code = code or str(status)
    what = f"{detail} answered {status}." if code == str(status) else f"{detail} answered {status}, code {code}."
    if status == 429:
        return ThrottledError(what, code=code, retry_after=retry_after(headers or {}))
    if status == 408 or status >= 500:
        return TransientError(what, code=code, retry_after=retry_after(headers or {}))
    if is_endpoint:
        return _error_of_endpoint(status, what, code)
    if status in {401, 403}:
        return MisconfiguredError(what, code=code)
    return PermanentError(what, code=code)


def _error_of_endpoint(status: int, what: str, code: str) -> PermanentError:
    if status in {404, 410}:
        return PermanentError(what, code=code, reason=Reason.ENDPOINT_GONE, suppress=True)
    return PermanentError(what, code=code)
