"""One process that is the whole demo: web server and worker, over one folder that nobody else uses meanwhile."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import IO, Any

import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.files import locks

#: Seconds that open connections, and then the worker, get to finish.
GRACE = 1

_LOCK = "demo.lock"


class CannotOpen(Exception):
    """The demo cannot be opened."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there (port 0: any free one), or raise `CannotOpen`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio looks for it: without, every answer would wait 40 ms for Nagle's algorithm.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # The port of the demo that was closed a moment ago; elsewhere this option shares ports.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as e:
        listener.close()
        if e.errno == errno.EADDRINUSE:
            raise CannotOpen(f"Port {port} is in use; choose another, such as --port {port + 1}.") from e
        raise CannotOpen(f"Cannot listen on {host}, port {port}: {e.strerror}. See --host and --port.") from e
    return listener


def address_of(listener: socket.socket) -> str:
    """Return where browsers of this machine find the listener: http://127.0.0.1:8000."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - every address is this machine's, too
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def take(folder: Path) -> IO[str]:
    """
    Make the folder and take it until the file is closed or this process ends; raise `CannotOpen` if somebody has it.

    Two embedded workers over one database would each take over what the other one holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / _LOCK).open("a+", encoding="utf-8")
    if not locks.lock(file, locks.LOCK_EX | locks.LOCK_NB):
        with file:
            file.seek(0)
            address = file.read() or "another address"
        raise CannotOpen(f"{folder} is open at {address} already; stop that one, or name another folder: DEMO_DIR=…")
    return file


def serve(listener: socket.socket) -> None:
    """Serve the site, with its worker, until SIGINT or SIGTERM; both have stopped on return."""
    # Importing it starts the worker, so not before the database is ready.
    asgi = import_module("config.asgi")
    # A page that is not there is not worth a line.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    config = uvicorn.Config(
        ASGIStaticFilesHandler(asgi.application),
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = uvicorn.Server(config)

    def stop(signum: int, frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn raises the signal again when it has stopped: with Python's own handlers that would be the end,
    # before the worker could finish what it holds.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    try:
        server.run(sockets=[listener])
    finally:
        _stop_worker(asgi.embedded_worker)


def _stop_worker(worker: Any) -> None:
    if worker is not None:
        worker.stop(timeout=GRACE * 1000)
