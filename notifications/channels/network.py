"""Connections that end in time, and lead only where they may: httpcore's network, between its sockets and its HTTP."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import httpcore

from notifications.channels import guard

if TYPE_CHECKING:
    import ssl

#: Seconds to reach a server, within the time of the whole.
CONNECT_TIMEOUT = 5.0
#: (host, port, seconds) → IP addresses.
Resolve = Callable[[str, int, float], "list[str]"]
SocketOption = httpcore.SOCKET_OPTION

#: `time.monotonic` at which the request of this thread must be over. Time-outs of sockets are for one read or write
#: each, and a server that says a byte a second would never reach them.
deadline: ContextVar[float] = ContextVar("deadline")


def lookup(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses a name stands for. In a thread of its own: the system's look-up cannot be told to end."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(address[4][0]) for address in found)))
        except (OSError, UnicodeError) as e:
            answers.put(OSError(*e.args[:2]))

    threading.Thread(target=ask, name="lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty as e:
        raise TimeoutError from e
    if isinstance(answer, OSError):
        raise answer
    return answer


class Network(httpcore.NetworkBackend):
    """
    Connects; `guarded`: only to addresses of the open internet.

    A name is looked up once, all its addresses are checked, and these are connected to: there is no second look-up that
    could answer otherwise. HTTP and TLS know nothing of it: `Host` and server name are those of the URL.
    """

    def __init__(self, *, guarded: bool, resolve: Resolve = lookup) -> None:
        self._is_guarded = guarded
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._addresses(host, port)
        failure: Exception = httpcore.ConnectError("The name stands for no address.")
        for address in addresses:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, _connect_time(), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as e:
                failure = e
            else:
                return _Stream(stream)
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port, _connect_time())
        except TimeoutError as e:
            message = "The name was not looked up in time."
            raise httpcore.ConnectTimeout(message) from e
        except OSError as e:
            message = "The name could not be looked up."
            raise httpcore.ConnectError(message) from e
        if self._is_guarded:
            guard.check_addresses(host, addresses)
        return addresses


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing lasts longer than the request may."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _connect_time()))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _connect_time() -> float:
    return min(CONNECT_TIMEOUT, _left(httpcore.ConnectTimeout))


def _left(error: type[Exception]) -> float:
    """Return the seconds that are left; raise `error` if there are none."""
    seconds = deadline.get() - time.monotonic()
    if seconds <= 0:
        message = "The request took too long."
        raise error(message)
    return seconds
