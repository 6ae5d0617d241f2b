"""Fixtures of the demo's tests: the shop inside the test, and real demos in processes of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as project
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.test import Client

from config.demo.seed import seed

# Now, while DEMO is still off: `config.urls` looks at it when it is imported.
from tests.demo import urls

#: What would make a demo something else.
NOT_FOR_THE_DEMO = {
    "BASE_URL",
    "BROKER_URL",
    "DATABASE_URL",
    "DEMO_DIR",
    "DJANGO_SETTINGS_MODULE",
    "EMAIL_URL",
    "EMBEDDED_WORKER",
    "REDIS_URL",
    "SECRET_KEY",
    "SECURE",
    "SMS_BACKEND",
}


class Demo:
    """`manage.py demo` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_DEMO}
        self.environment["DEMO_DIR"] = str(folder)
        self.address = ""
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `manage.py demo` with these arguments."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", *arguments],
            cwd=project.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def open(self) -> subprocess.Popen[str]:
        """Start one that serves, on a free port; return it when it says where."""
        process = self.start("--port", "0")
        for line in process.stdout or ():
            if found := re.search(r"http://[^\s/]+", line):
                self.address = found[0]
                return process
        raise AssertionError(process.communicate()[1])

    def kill(self) -> None:
        """End what is left, and let go of its pipes."""
        for process in self._processes:
            process.kill()
            process.communicate()


def told(answer):
    """Return what the next page will say."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.fixture
def demo(tmp_path):
    """A demo that is not open yet."""
    demo = Demo(tmp_path / "demo")
    yield demo
    demo.kill()


@pytest.fixture
def shop(db, settings, tmp_path):
    """The shop, mounted and seeded; returns a function that gives somebody's browser."""
    settings.DEMO = True
    settings.DEMO_DIR = tmp_path
    settings.ROOT_URLCONF = urls.__name__
    seed(now=datetime.now(UTC))

    def browser(username=""):
        client = Client()
        if username:
            client.force_login(get_user_model().objects.get(username=username))
        return client

    return browser
