"""An HTTP server on loopback that answers each request as it was told: well, badly, slowly, or not at all."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two bytes of an answer that never ends.
DRIP = 0.02
GIGABYTE = 2**30


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Answer:
    """A whole answer, after which the connection stays open."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict = field(default_factory=dict)

    def write(self, connection, server):
        lines = [f"HTTP/1.1 {self.status} Told"]
        lines += [f"{name}: {value}" for name, value in {"Content-Length": len(self.body), **self.headers}.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + self.body)


def said(status=200, value=None, **headers):
    """Answer with JSON."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **names})


class Hang:
    """Say nothing, and keep the connection."""

    def write(self, connection, server):
        server.stopping.wait()


class Reset:
    """Break the connection after the whole request was read."""

    def write(self, connection, server):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionAbortedError


@dataclass
class Cut:
    """Break the connection within the answer."""

    beginning: bytes

    def write(self, connection, server):
        connection.sendall(self.beginning)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionAbortedError


class Close:
    """End the connection after the whole request was read."""

    def write(self, connection, server):
        raise ConnectionAbortedError


@dataclass
class Drip:
    """Begin well, and go on for ever, a little at a time."""

    beginning: bytes = b"HTTP/1.1 200 Told\r\nX-Slow: "
    more: bytes = b"a"

    def write(self, connection, server):
        connection.sendall(self.beginning)
        while not server.stopping.wait(DRIP):
            connection.sendall(self.more)


def slow_headers():
    """Never come to the end of the headers (a slow loris, the other way round)."""
    return Drip()


def slow_body():
    """Never come to the end of the body."""
    return Drip(b"HTTP/1.1 200 Told\r\nContent-Length: 1000000\r\n\r\n")


def never_final():
    """Ask for patience for ever."""
    return Drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n")


def bomb():
    """Answer with a body that is small, and becomes a hundred megabytes."""
    return Answer(200, gzip.compress(bytes(100 * 2**20), 9), {"Content-Encoding": "gzip"})


class Flood:
    """Answer with a gigabyte, as fast as it is read."""

    def __init__(self):
        self.sent = 0

    def write(self, connection, server):
        connection.sendall(f"HTTP/1.1 200 Told\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode())
        piece = bytes(2**16)
        while self.sent < GIGABYTE and not server.stopping.is_set():
            connection.sendall(piece)
            self.sent += len(piece)


class Server:
    """The server, on a port the system chooses; a context manager. Without answers left, it says 200 and {}."""

    def __init__(self, *answers):
        self.answers = deque(answers)
        #: Makes an answer where no other was told.
        self.otherwise: Callable[[], Any] = Answer
        #: What was answered with 2xx.
        self.taken: list = []
        #: What was asked, in order.
        self.requests: list = []
        #: How many connections came, and every byte on them: also of what is no HTTP.
        self.connections = 0
        self.heard = b""
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set = set()
        self._threads: list = []

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.leave()
        for thread in self._threads:
            thread.join(10)

    def leave(self):
        """Listen no more: who comes is refused."""
        # Closing alone does not wake who waits on it.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request):
        """Return what a request is answered with. One at a time."""
        return self.answers.popleft() if self.answers else self.otherwise()

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, name="provider", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection):
        with suppress(OSError, ValueError):
            while (request := self._read(connection)) is not None:
                with self._lock:
                    self.requests.append(request)
                    answer = self.answer(request)
                    if 200 <= getattr(answer, "status", 500) < 300:
                        self.taken.append(request)
                answer.write(connection, self)
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def _read(self, connection):
        """Return the next request; None: there is none."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := self._receive(connection)):
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            if not (more := self._receive(connection)):
                return None
            body += more
        method, path, _ = first.split(" ")
        return Received(method, path, headers, body)

    def _receive(self, connection):
        more = connection.recv(2**16)
        with self._lock:
            self.heard += more
        return more
