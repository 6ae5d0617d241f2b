"""A real Chromium and a real server. The server is a process of its own, over the database the tests write to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import sync_playwright

from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.factories import make_item, make_template

# Playwright keeps an event loop in this thread; the tests' own queries are none of its business.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

#: Milliseconds something may take to appear.
PATIENCE = 10_000


@pytest.fixture(scope="session")
def chromium():
    """The browser; without one, the tests are skipped and say so."""
    program = find_chromium()
    if program is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(django_db_setup, tmp_path_factory):
    """Where the site answers."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        log = stack.enter_context((tmp_path_factory.mktemp("site") / "log").open("w+"))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.server", str(listener.fileno())],
            cwd=settings.BASE_DIR,
            env={
                **{name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "BROKER_URL"}},
                "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
                "BASE_URL": url,
            },
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        stack.callback(_end, process, log)
        _wait(url, process, log)
        yield url


def _wait(url, process, log):
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health/live", timeout=2):  # noqa: S310 - ours
                return
        except OSError:
            assert process.poll() is None, _said(log)
            assert time.monotonic() < until, _said(log)
            time.sleep(0.1)


def _end(process, log):
    process.terminate()
    code = process.wait(10)
    said = _said(log)
    # Whatever the tests looked at: the site has had no error of its own.
    assert "Traceback" not in said, said
    assert code in {0, -15}, said


def _said(log):
    log.seek(0)
    return log.read()


@pytest.fixture
def visit(chromium, address, transactional_db):
    """Return a function that logs somebody in, in a browser profile of their own, and returns it."""
    with ExitStack() as stack:

        def visit(user, **options):
            context = chromium.new_context(base_url=address, **options)
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            client = Client()
            client.force_login(user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
            return context

        yield visit


@pytest.fixture
def kind(transactional_db):
    """A template, with its category."""
    return make_template("ORDER_CREATED")


@pytest.fixture
def deliver(kind):
    """Return a function that puts items into somebody's inbox, the last one on top."""

    def deliver(user, *titles, **changes):
        return [make_item(user, kind, title=title, **changes) for title in titles]

    return deliver
