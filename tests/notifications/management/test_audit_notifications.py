"""`manage.py audit_notifications` says what was found, and exits 1 if anything was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from notifications.models import Delivery
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.types import Priority

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def event_id(alice, template):
    """Publish and dispatch to Alice's inbox and e-mail, at noon; it is five past two now."""
    with time_machine.travel(NOW, tick=False) as traveller:
        published = publish_notification(
            "ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-1"}, channels=["in_app", "email"]
        )
        dispatch_batch(Priority.LOW, more=lambda: None)
        traveller.shift(timedelta(minutes=4))
        yield published.id


def run(*args):
    """Return the exit code and the lines."""
    out = StringIO()
    try:
        call_command("audit_notifications", *args, stdout=out)
    except SystemExit as e:
        return e.code, out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def test_all_is_well_in_one_line(event_id):
    assert run() == (0, ["1 event, 2 deliveries: all delivered or explained."])


def test_a_breach_is_told_with_its_id_and_ends_with_1(event_id):
    Delivery.objects.filter(channel="email").delete()

    code, lines = run()

    assert code == 1
    assert lines == [
        "Events whose deliveries are not those that were planned: 1",
        f"  {event_id}  planned 2, found 1",
        "",
        "1 event, 1 delivery: 1 breach.",
    ]


def test_many_breaches_are_cut_short(alice, template, event_id):
    for _ in range(24):
        publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"}, channels=["email"])
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    Delivery.objects.filter(channel="email").delete()

    code, lines = run()

    assert code == 1
    assert lines[21] == "  … and 5 more"
    assert lines[-1] == "25 events, 1 delivery: 49 breaches."


def test_json_holds_the_same(event_id):
    code, (line,) = run("--json")
    assert (code, json.loads(line)) == (0, {"ok": True, "events": 1, "deliveries": 2, "findings": []})

    Delivery.objects.filter(channel="email").delete()
    code, (line,) = run("--json")
    assert code == 1
    assert json.loads(line)["findings"] == [
        {"kind": "deliveries", "number": 1, "first": [{"id": str(event_id), "detail": "planned 2, found 1"}]}
    ]


def test_since_narrows_what_is_looked_at(event_id):
    assert run("--since", "3m") == (0, ["0 events, 0 deliveries: all delivered or explained."])


def test_a_wrong_instant_is_refused():
    with pytest.raises(CommandError, match="--since: 'yesterday' is no instant; write 36h or 2d"):
        run("--since", "yesterday")
