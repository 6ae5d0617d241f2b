"""Real processes for the services tier: workers as production runs them, mail and text messages that can be read."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from notifications.services.audit import audit
from tests.integration.processes import start_worker, stop
from tests.smtp import SmtpServer

HINT = "These tests need PostgreSQL and Redis. Run `make test-services`, or set DATABASE_URL and REDIS_URL."


@pytest.fixture(scope="session", autouse=True)
def servers_are_given():
    """Fail, not skip, when the servers are missing."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        pytest.fail(HINT, pytrace=False)


@dataclass
class Outside:
    """The world outside the process: what was really sent, and the environment of those who send."""

    smtp: SmtpServer
    sms_path: Path
    environment: dict = field(default_factory=dict)

    @property
    def mailbox(self):
        return self.smtp.mailbox

    def text_messages(self):
        """Return what the fake provider accepted, as dicts."""
        if not self.sms_path.exists():
            return []
        return [json.loads(line) for line in self.sms_path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def outside(transactional_db, tmp_path):
    """Give an SMTP server and a file for text messages; empty the broker."""
    call_command("seed_notification_templates", verbosity=0)
    redis.from_url(os.environ["REDIS_URL"]).flushdb()
    with SmtpServer() as smtp:
        sms_path = tmp_path / "sms.jsonl"
        yield Outside(
            smtp=smtp,
            sms_path=sms_path,
            environment={
                **os.environ,
                "DATABASE_URL": database_url(),
                "EMAIL_URL": smtp.url,
                "SMS_BACKEND": "notifications.channels.fake.FakeChannel",
                "SMS_OPTIONS": json.dumps({"path": str(sms_path)}),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
        )
        # Whatever the test was about: everything accepted is delivered or explained.
        assert audit(now=timezone.now()).findings == ()


def database_url():
    """Return the URL of the database the tests write to, for other processes."""
    given = os.environ["DATABASE_URL"]
    name = connection.settings_dict["NAME"]
    head, mark, query = given.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{mark}{query}"


@pytest.fixture
def worker(outside):
    """Run `manage.py rundramatiq` for the length of the test; return the function that starts it."""
    started = []

    def start(**changes):
        process = start_worker({**outside.environment, **changes})
        started.append(process)
        return process

    yield start
    for process in started:
        stop(process)


@pytest.fixture
def eventually():
    """Return a function that waits until a condition holds, and fails when it never does."""

    def eventually(condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)

    return eventually
