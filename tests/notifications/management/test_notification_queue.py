"""`manage.py notification_queue` draws the queues, once or until Ctrl-C."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from notifications.types import DeliveryState, Priority
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def work(template):
    with time_machine.travel(NOW, tick=False):
        make_event(template, priority=Priority.HIGH, due_at=NOW - timedelta(seconds=125))
        make_delivery(channel="email", due_at=NOW + timedelta(hours=1))
        make_delivery(channel="sms", state=DeliveryState.SENT)
        yield


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.fixture
def slept(monkeypatch):
    """Return how long was slept; Ctrl-C is pressed in the third pause."""
    pauses: list = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    return pauses


def run(*args, out=None, **options):
    out = out or StringIO()
    call_command("notification_queue", *args, stdout=out, **options)
    return out.getvalue()


def test_it_is_one_aligned_table_with_what_was_due_first_on_top():
    assert run().splitlines() == [
        "actor              oldest due   waiting   delayed   active   completed   failed",
        "dispatch_high      2m 05s             1         0        0           0        0",
        "dispatch_urgent    -                  0         0        0           0        0",
        "dispatch_normal    -                  0         0        0           0        0",
        "dispatch_low       -                  0         0        0           0        0",
        "expand_broadcast   -                  0         0        0           0        0",
        "deliver_email      -                  0         1        0           0        0",
        "deliver_sms        -                  0         0        0           1        0",
        "Completed and failed: in the last 24 hours.",
    ]


def test_what_is_late_stands_out_on_a_terminal():
    late = run(force_color=True).splitlines()[1]

    assert late.startswith("\x1b[")
    assert "dispatch_high" in late


def test_watching_draws_it_again_until_ctrl_c(slept):
    shown = run("--watch", "0.5", out=Terminal(), no_color=True)

    assert slept == [0.5, 0.5, 0.5]
    assert shown.count("\x1b[H\x1b[J") == 3
    assert shown.count("dispatch_high") == 3


def test_watching_without_a_terminal_writes_one_after_the_other(slept):
    shown = run("--watch")

    assert slept == [2.0, 2.0, 2.0]
    assert "\x1b" not in shown
    assert shown.count("dispatch_high") == 3


def test_json_is_one_line_each_time(slept):
    lines = [json.loads(line) for line in run("--watch", "--json").splitlines()]

    assert len(lines) == 3
    assert lines[0]["at"] == "2026-03-01T12:00:00+00:00"
    assert lines[0]["queues"][0] == {
        "actor": "dispatch_high",
        "waiting": 1,
        "delayed": 0,
        "active": 0,
        "completed": 0,
        "failed": 0,
        "oldest_due_at": "2026-03-01T11:57:55+00:00",
        "oldest_due_seconds": 125.0,
    }
    assert lines[0]["queues"][1]["oldest_due_seconds"] is None


def test_a_wrong_pace_is_refused():
    with pytest.raises(CommandError, match="--watch: 'often' is not a number of seconds"):
        run("--watch", "often")
