"""Workers as processes of their own: started as production starts them, stopped by pid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def start_worker(environment, *arguments):
    """Start `manage.py rundramatiq` with one process; return when it consumes."""
    log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - lives as long as the process
    command = [sys.executable, "manage.py", "rundramatiq", "-p", "1", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    process.log = log  # type: ignore[attr-defined]
    deadline = time.monotonic() + 30
    while "is ready for action" not in (said := output(process)):
        assert process.poll() is None, f"the worker ended: {said}"
        assert time.monotonic() < deadline, f"the worker is not ready: {said}"
        time.sleep(0.05)
    return process


def output(process):
    """Return all the worker wrote so far."""
    position = os.lseek(process.log.fileno(), 0, os.SEEK_CUR)
    text = os.pread(process.log.fileno(), 10_000_000, 0).decode()
    os.lseek(process.log.fileno(), position, os.SEEK_SET)
    return text


def stop(process, how=signal.SIGTERM, seconds=30):
    """Stop a worker; return its exit code. SIGKILL goes to its whole group, as a crash of the machine would."""
    if process.poll() is None:
        if how == signal.SIGKILL:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
    try:
        return process.wait(seconds)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.log.close()
