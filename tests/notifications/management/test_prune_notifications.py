"""`manage.py prune_notifications` takes away what was kept long enough, and says how much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from notifications.management.commands import prune_notifications
from notifications.models import Delivery, Event
from notifications.types import DeliveryState, EventState
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def old(template):
    """Make five events and two deliveries, and let a hundred days pass."""
    with time_machine.travel(NOW - timedelta(days=100), tick=False):
        for _ in range(5):
            make_event(template, state=EventState.DISPATCHED)
        make_delivery(state=DeliveryState.SENT)
        make_delivery(state=DeliveryState.FAILED)
    with time_machine.travel(NOW, tick=False):
        yield


def run(*args):
    out = StringIO()
    call_command("prune_notifications", *args, stdout=out)
    return out.getvalue().splitlines()


def test_all_that_is_old_goes_in_batches(old, monkeypatch):
    monkeypatch.setattr(prune_notifications, "BATCH", 2)

    assert run() == [
        "events                 5",
        "events emptied         0",
        "idempotency keys       0",
        "broadcasts             0",
        "broadcasts emptied     0",
        "drafts of broadcasts   0",
        "digests                0",
        "daily counts           0",
        "mutes that ended       0",
        "notifications          0",
        "deliveries             2",
        "attempts               0",
        "provider events        0",
    ]
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()


def test_a_dry_run_counts_and_takes_nothing(old):
    lines = run("--dry-run")

    assert lines[0] == "events                 5"
    assert lines[10] == "deliveries             2"
    assert lines[-1] == "Dry run: nothing was changed."
    assert Event.objects.count() == 5


def test_a_limit_holds_for_each_class(old, monkeypatch):
    monkeypatch.setattr(prune_notifications, "BATCH", 2)

    run("--limit", "3")

    assert Event.objects.count() == 2
    assert not Delivery.objects.exists()


def test_a_limit_is_a_number_above_zero():
    with pytest.raises(CommandError, match="'0' is not a number above zero"):
        run("--limit", "0")
