"""A web server in a process of its own, and browsers that listen to it."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from django.conf import settings

from tests.integration.processes import ROOT, output

PATH = "/api/notifications/stream/"


class WebServer:
    """uvicorn as the documentation starts it, on a free port."""

    def __init__(self, environment, **constants):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "tests.integration.stream_app:application", "--port", str(self.port),
             "--no-access-log", "--timeout-graceful-shutdown", "10"],
            cwd=ROOT,
            env={
                **environment,
                "DJANGO_SETTINGS_MODULE": "tests.integration.stream_settings",
                "STREAM_CONSTANTS": json.dumps({name.replace("__", "."): value for name, value in constants.items()}),
            },
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )  # fmt: skip
        self.process.log = self._log  # type: ignore[attr-defined]
        deadline = time.monotonic() + 30
        while "Uvicorn running on" not in self.output():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.02)

    def output(self):
        """Return all the server wrote so far."""
        return output(self.process)

    def numbers(self):
        """Return the threads and the resident kilobytes of the server's process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return tuple(int(re.findall(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[0]) for name in ("Threads", "VmRSS"))

    def close(self):
        """End it, if it has not ended, and let go of its log."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


class Listening:
    """One EventSource: the events that came, by the second they came in."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self.events: list = []
        self.head = b""
        self.closed = False
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @classmethod
    async def open(cls, port, *, token="", session_key=""):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        cookie = f"Cookie: {settings.SESSION_COOKIE_NAME}={session_key}\r\n" if session_key else ""
        # HTTP/1.0, so that nothing comes in chunks
        writer.write(f"GET {PATH}?token={token} HTTP/1.0\r\nHost: 127.0.0.1\r\n{cookie}\r\n".encode())
        await writer.drain()
        return cls(reader, writer)

    async def _run(self):
        try:
            self.head = await self._reader.readuntil(b"\r\n\r\n")
            while True:
                block = (await self._reader.readuntil(b"\n\n")).decode()
                if found := re.fullmatch(r"event: (\w+)\ndata: (.+)\n\n", block):
                    self.events.append((found[1], json.loads(found[2])))
                self._changed.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed = True
            self._changed.set()
        finally:
            self._writer.close()

    def named(self, name):
        return [data for event, data in self.events if event == name]

    async def until(self, condition, seconds=20):
        """Wait until the condition holds, for what came so far."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def ready(self, times=1, seconds=20):
        await self.until(lambda: len(self.named("ready")) >= times, seconds)

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
