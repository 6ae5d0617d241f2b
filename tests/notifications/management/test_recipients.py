"""`manage.py export_recipient` and `erase_recipient`."""

from __future__ import annotations

import json
import stat
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications import ids
from notifications.models import Delivery, Erasure, Notification
from notifications.pipeline import claiming
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import erasing
from notifications.types import DeliveryState, Priority


@pytest.fixture(autouse=True)
def told(alice, template):
    """Alice was told of an order."""
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-1"})
    dispatch_batch(Priority.LOW, more=lambda: None)


def run(name, *args):
    out = StringIO()
    call_command(name, "alice@example.com", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_an_export_is_one_document():
    assert json.loads(run("export_recipient"))["notification"][0]["title"] == "Order ORD-1"


def test_an_export_to_a_file_is_for_nobody_else_and_over_nothing(tmp_path):
    file = tmp_path / "alice.json"
    run("export_recipient", "--output", str(file))

    assert json.loads(file.read_text())["recipient"]["username"] == "alice"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="name a file that is not there yet"):
        run("export_recipient", "--output", str(file))


def test_a_dry_run_counts_and_changes_nothing():
    said = run("erase_recipient", "--dry-run")

    assert "      1  notifications" in said
    assert "      1  events" in said
    assert not Erasure.objects.exists()
    assert Notification.objects.exists()


def test_erasing_says_what_went(alice):
    said = run("erase_recipient", "--yes", "--note", "Ticket 7")

    assert "Erased: 1 events, 1 notifications" in said
    assert "stored anew" in said
    assert not Notification.objects.exists()
    assert Erasure.objects.get().note == "Ticket 7"


@pytest.mark.parametrize("typed", ["", "bob", "Alice"])
def test_who_types_another_name_erases_nothing(monkeypatch, typed):
    monkeypatch.setattr("builtins.input", lambda _: typed)

    with pytest.raises(CommandError, match="Not erased"):
        run("erase_recipient")

    assert Notification.objects.exists()
    assert not Erasure.objects.exists()


def test_it_waits_for_a_worker_and_goes_on_with_what_was_begun(alice, monkeypatch):
    row = Delivery.objects.filter(channel="email")
    token = ids.uuid7()
    row.update(state="sending", lease_token=token, lease_until="2100-01-01T00:00:00Z")
    erasing.request(alice, by=None, note="", now=timezone.now())

    def let_go(seconds):
        assert claiming.settle(Delivery, row.get().pk, token, now=timezone.now(), state=DeliveryState.SENT)

    monkeypatch.setattr("notifications.management.commands.erase_recipient.time.sleep", let_go)

    assert "Waiting for a worker" in run("erase_recipient", "--yes")
    assert Erasure.objects.get().finished_at is not None
    assert row.get().address == ""


@pytest.mark.parametrize("name", ["export_recipient", "erase_recipient"])
def test_somebody_there_is_not_is_named_with_who_was_meant(name):
    with pytest.raises(CommandError, match=r"No user 'alicia' \(did you mean 'alice'\?\)"):
        call_command(name, "alicia")
