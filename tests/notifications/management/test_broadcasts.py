"""`manage.py broadcast_status` shows how far broadcasts are; `cancel_broadcast` calls one back."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command

from notifications.models import Broadcast, Delivery, Event
from notifications.services import pauses
from notifications.types import BroadcastState, DeliveryState, EventState, PauseScope
from tests.factories import make_broadcast
from tests.notifications.management.test_notification_queue import Terminal
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def under_way(template, traveller):
    """Half of it is told; of those, a quarter is sent, one failed."""
    row = make_broadcast(template, recipient_count=16, expanded_count=16, event_count=2, duplicate_count=3)
    make_event(template, broadcast=row, state=EventState.DISPATCHED, recipient_count=8, inactive_count=1)
    make_event(template, broadcast=row, due_at=NOW + timedelta(hours=1))
    for state in [*[DeliveryState.SENT] * 3, DeliveryState.FAILED, *[DeliveryState.PENDING] * 4]:
        make_delivery(broadcast_id=row.pk, state=state)
    traveller.shift(4)
    return row


def run(*args, command="broadcast_status", out=None, **options):
    out = out or StringIO()
    call_command(command, *args, stdout=out, **options)
    return out.getvalue()


def test_the_list_has_a_line_with_a_bar_for_each(under_way):
    head, line = run().splitlines()

    assert head.split() == HEAD
    assert line.split("   ")[0] == str(under_way.pk)
    assert "[██████··················]  25%" in line
    assert line.split()[-6:] == ["16", "3", "1", "0", "1.0/s", "12s"]


HEAD = ["broadcast", "template", "state", "progress", "recipients", "sent", "failed", "skipped", "rate", "left"]


def test_those_under_way_come_first_and_then_the_latest(template, traveller):
    done = []
    for _ in range(2):
        done.append(make_broadcast(template, completed_at=NOW))
        traveller.shift(1)
    open_ = make_broadcast(template, recipient_count=1, audience="everybody", due_at=NOW - timedelta(days=1))

    lines = run().splitlines()[1:]

    assert [line.split()[0] for line in lines] == [str(row.pk) for row in (open_, *reversed(done))]


def test_one_is_shown_with_all_its_figures(under_way):
    shown = run(str(under_way.pk))

    assert f"ORDER_CREATED, broadcast {under_way.pk}" in shown
    figures = dict(line.strip().split("  ", 1) for line in shown.splitlines()[2:])
    assert {name: value.strip() for name, value in figures.items()} == {
        "state": "sending",
        "due at": "2026-03-01T12:00:00+00:00",
        "progress": "25.0%",
        "recipients": "16",
        "duplicates": "3",
        "events made for": "16",
        "told": "8",
        "unknown": "0",
        "inactive": "1",
        "deliveries": "8",
        "sent": "3",
        "failed": "1",
        "skipped": "0",
        "per second": "1.0",
        "left": "12s",
    }


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"audience": "everybody"}, "pending"),
        ({"audience": "everybody", "state": BroadcastState.FAILED, "last_error": "ZeroDivisionError: x"}, "failed"),
        ({"audience": "everybody", "state": BroadcastState.CANCELLED, "cancelled_at": NOW}, "cancelled"),
        ({"audience": "everybody", "state": BroadcastState.EXPIRED}, "expired"),
        ({"cancelled_at": NOW}, "cancelled"),
        ({"completed_at": NOW}, "complete"),
    ],
    ids=["pending", "failed", "cancelled early", "expired", "cancelled late", "complete"],
)
def test_its_state_is_said_in_a_word(template, changes, state):
    make_broadcast(template, **changes)

    assert run().splitlines()[1].split()[2] == state


@pytest.mark.parametrize("scope", [PauseScope.EVERYTHING, PauseScope.TEMPLATE, PauseScope.BROADCAST])
def test_what_is_held_says_so(under_way, scope):
    keys = {PauseScope.TEMPLATE: "ORDER_CREATED", PauseScope.BROADCAST: str(under_way.pk)}
    pauses.pause(scope, keys.get(scope, ""), now=NOW)

    assert run().splitlines()[1].split()[2] == "paused"


def test_an_error_stands_out_on_a_terminal_and_is_told_in_full(template):
    row = make_broadcast(template, audience="x", state=BroadcastState.FAILED, last_error="No audience 'x'.")

    assert run(force_color=True).splitlines()[1].startswith("\x1b[31")
    assert "No audience 'x'." in run(str(row.pk))


def test_json_has_a_line_for_each(under_way):
    (line,) = run("--json").splitlines()

    assert json.loads(line)["sent"] == 3


def test_one_is_watched_until_it_is_over(under_way, monkeypatch):
    def finish(seconds):
        assert seconds == 0.5
        Event.objects.filter(state=EventState.PENDING).update(state=EventState.EXPIRED, finished_at=NOW)
        Delivery.objects.filter(state=DeliveryState.PENDING).update(state=DeliveryState.SENT, finished_at=NOW)

    monkeypatch.setattr(time, "sleep", finish)

    shown = run(str(under_way.pk), "--watch", "0.5", out=Terminal(), no_color=True)

    assert shown.count("\x1b[H\x1b[J") == 2
    assert "100%" in shown.rpartition("\x1b[H\x1b[J")[2]


def test_with_none_it_says_so():
    assert run() == "There are no broadcasts.\n"


@pytest.mark.parametrize("command", ["broadcast_status", "cancel_broadcast"])
def test_an_id_that_is_no_broadcast_is_an_error_that_names_it(command):
    missing = uuid4()

    with pytest.raises(CommandError, match=f"No broadcast {missing} is on record"):
        run(str(missing), command=command)
    with pytest.raises(CommandError, match="'x' is no id"):
        run("x", command=command)


def test_cancelling_says_whether_there_was_anything_to_cancel(under_way):
    assert run(str(under_way.pk), command="cancel_broadcast") == f"{under_way.pk} is cancelled\n"
    assert run(str(under_way.pk), command="cancel_broadcast") == f"{under_way.pk} had nothing left to cancel\n"
    assert not Delivery.objects.filter(state=DeliveryState.PENDING).exists()
    assert Broadcast.objects.get().cancelled_at is not None
