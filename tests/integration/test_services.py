"""The launcher of real servers: it starts them, says what is missing, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import IMMEDIATE
from tests.services import running_services

pytestmark = pytest.mark.integration

LAUNCH = ["-m", "tests.services", "--"]

#: Prints the folder of the servers, a line for each of their processes, and an empty line.
REPORT = """
import os, pathlib, urllib.parse
folder = pathlib.Path(urllib.parse.urlsplit(os.environ["REDIS_URL"]).path).parent
print(folder, *(file.read_text().strip() for file in sorted(folder.glob("*.pid"))), sep="\\n", end="\\n\\n", flush=True)
"""


@pytest.fixture
def nothing_given(monkeypatch):
    """Hide the servers these tests may themselves run with."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
        # Linux: one that has ended, and waits to be collected by its parent, has no command line any more
        return not Path("/proc/self").exists() or bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.usefixtures("nothing_given")
def test_the_code_of_the_command_is_passed_on_and_nothing_is_left():
    command = [sys.executable, *LAUNCH, sys.executable, "-c", f"{REPORT}\nraise SystemExit(7)"]

    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    folder, *pids = ended.stdout.split()
    assert ended.returncode == 7
    assert len(pids) == 2
    assert not Path(folder).exists()
    assert not any(runs(pid) for pid in pids)


@pytest.mark.usefixtures("nothing_given")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["asked to end", "killed"])
def test_nothing_is_left_when_the_launcher_itself_is(how):
    wait_for_ever = f"{REPORT}\nimport time\ntime.sleep(60)"
    command = [sys.executable, *LAUNCH, sys.executable, "-c", wait_for_ever]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout
        folder, *pids = [line.strip() for line in iter(launcher.stdout.readline, "\n")]
        assert len(pids) == 2

        launcher.send_signal(how)

        wait_until(lambda: not Path(folder).exists())
        wait_until(lambda: not any(runs(pid) for pid in pids))


def test_a_missing_server_is_an_error_that_says_what_to_install():
    # -S hides the wheels: it leaves site-packages off the path
    command = [sys.executable, "-S", *LAUNCH, sys.executable, "-c", ""]
    environment = {"PATH": "", "DATABASE_URL": "postgres://given"}

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr == (
        "No Valkey or Redis found: `make test` installs one into .venv; or set REDIS_URL; "
        "or apt-get install redis-server\n"
    )


def test_servers_that_are_given_are_used_as_they_are():
    given = {"DATABASE_URL": "postgres://elsewhere", "REDIS_URL": "redis://elsewhere"}

    with running_services(given=given) as services:
        assert services.database_url == "postgres://elsewhere"
        assert services.redis_url == "redis://elsewhere"
        assert services.postgres is None
        assert services.redis is None


def test_servers_of_our_own_may_be_stopped_killed_and_started_again():
    with running_services(given={}) as services:
        for server in (services.postgres, services.redis):
            assert server
            first = server.pid
            server.kill()
            assert server.pid is None
            server.start()
            assert server.pid != first
        assert services.postgres
        services.postgres.restart(IMMEDIATE)
        assert services.postgres.pid
