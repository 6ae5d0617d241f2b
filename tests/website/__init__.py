"""The whole site as a process of its own, over a database that somebody else made."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
#: Seconds to start, and to stop.
PATIENCE = 30
#: What would make it another site.
FOREIGN = {"REDIS_URL", "BROKER_URL", "DJANGO_SETTINGS_MODULE"}


@contextmanager
def running_website(database_url, *, entrance="application"):
    """Run the site, with its worker; yield where it answers. It must have had no error of its own when it ends."""
    with socket.socket() as listener, tempfile.TemporaryFile("w+") as log:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.website.server", str(listener.fileno()), entrance],
            cwd=ROOT,
            env={**environment, "DATABASE_URL": database_url, "BASE_URL": url},
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(url, process, log)
            yield url
        finally:
            process.terminate()
            code = process.wait(PATIENCE)
        said = _said(log)
        assert "Traceback" not in said, said
        assert code in {0, -15}, said


def _wait(url, process, log):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health/live", timeout=2):  # noqa: S310 - ours
                return
        except OSError:
            assert process.poll() is None, _said(log)
            assert time.monotonic() < until, _said(log)
            time.sleep(0.1)


def _said(log):
    log.seek(0)
    return log.read()
