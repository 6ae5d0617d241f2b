"""How far a broadcast is: counted from the rows, kept on the row, and never going backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model

from notifications.maintenance import progress
from notifications.models import Broadcast, Delivery, Event, Pause
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import cancel_broadcast, publish_batch_notification
from notifications.services import broadcasts, pauses
from notifications.types import BroadcastState, DeliveryState, PauseScope, Priority
from tests.factories import make_broadcast

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def broadcast(template):
    """Tell 120 people by e-mail; one event of 50 is dispatched."""
    model = get_user_model()
    model.objects.bulk_create(model(username=f"user{i}", email=f"user{i}@example.com") for i in range(120))
    publish_batch_notification(
        "ORDER_CREATED", recipients=model.objects.all(), variables={"order_number": "ORD-1"}, channels=["email"]
    )
    full = next(event for event in Event.objects.all() if len(event.recipients) == 50)
    Event.objects.exclude(pk=full.pk).update(due_at=NOW + timedelta(hours=1))
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    return Broadcast.objects.get()


def end(number, state=DeliveryState.SENT):
    """Bring so many deliveries to their end."""
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING).values_list("pk", flat=True)[:number]
    Delivery.objects.filter(pk__in=list(waiting)).update(state=state, finished_at=NOW)


def test_it_counts_what_came_of_the_deliveries(broadcast):
    for number, state in enumerate((s for s in DeliveryState if s not in {"pending", "sending"}), start=1):
        end(number, state)

    assert broadcasts.measure(broadcast, now=NOW + 10 * SECOND)

    broadcast.refresh_from_db()
    assert (broadcast.told_count, broadcast.planned_count) == (50, 50)
    # sent 1, failed 2, unknown 3, suppressed 4, cancelled 5, expired 6, digested 7
    assert (broadcast.sent_count, broadcast.failed_count, broadcast.skipped_count) == (8, 5, 15)
    assert broadcast.completed_at is None


def test_the_rate_is_what_ended_since_the_last_time_smoothed(broadcast):
    end(10)
    broadcasts.measure(broadcast, now=NOW + 10 * SECOND)
    assert broadcast.rate == pytest.approx(1)

    end(30)
    broadcasts.measure(broadcast, now=NOW + 20 * SECOND)
    assert broadcast.rate == pytest.approx(2)


def test_what_is_left_is_estimated_from_those_who_are_told(broadcast):
    end(12)
    broadcasts.measure(broadcast, now=NOW + 12 * SECOND)

    assert broadcasts.expected_deliveries(broadcast) == 120
    assert broadcasts.fraction(broadcast) == pytest.approx(0.1)
    assert broadcasts.left(broadcast) == timedelta(seconds=108)


def test_before_anybody_is_told_nobody_can_tell(template):
    unknown = make_broadcast(template, audience="everybody")
    untold = make_broadcast(template, recipient_count=10)

    for row in (unknown, untold):
        assert broadcasts.expected_deliveries(row) is None
        assert (broadcasts.fraction(row), broadcasts.left(row)) == (0, None)


def test_it_is_complete_when_the_last_delivery_is_over_and_then_nothing_holds_it(broadcast):
    pauses.pause(PauseScope.BROADCAST, str(broadcast.pk), now=NOW)
    Event.objects.update(due_at=NOW)
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    broadcasts.measure(broadcast, now=NOW + SECOND)
    assert broadcast.completed_at is None
    pauses.resume(PauseScope.BROADCAST, str(broadcast.pk), now=NOW)
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    pauses.pause(PauseScope.BROADCAST, str(broadcast.pk), now=NOW)
    end(119)
    broadcasts.measure(broadcast, now=NOW + 2 * SECOND)
    assert broadcast.completed_at is None

    end(1, DeliveryState.FAILED)
    broadcasts.measure(broadcast, now=NOW + 3 * SECOND)

    assert broadcast.completed_at == NOW + 3 * SECOND
    assert (broadcasts.fraction(broadcast), broadcasts.left(broadcast)) == (1, None)
    assert not Pause.objects.filter(lifted_at__isnull=True).exists()


def test_what_was_called_back_is_complete(broadcast):
    cancel_broadcast(broadcast.pk)
    broadcast.refresh_from_db()

    broadcasts.measure(broadcast, now=NOW + SECOND)

    assert (broadcast.completed_at is not None, broadcast.skipped_count) == (True, 50)


def test_what_retention_takes_away_stays_counted(broadcast):
    broadcasts.measure(broadcast, now=NOW + SECOND)
    Event.objects.all().delete()

    broadcasts.measure(broadcast, now=NOW + 2 * SECOND)

    assert broadcast.told_count == 50


def test_whoever_measures_late_changes_nothing(broadcast):
    late = Broadcast.objects.get()
    assert broadcasts.measure(broadcast, now=NOW + 2 * SECOND)

    assert not broadcasts.measure(late, now=NOW + SECOND)
    assert Broadcast.objects.get().measured_at == NOW + 2 * SECOND


def test_the_clock_measures_what_is_under_way_every_few_seconds(broadcast, template):
    make_broadcast(template, audience="everybody", due_at=NOW + timedelta(days=1))
    make_broadcast(template, completed_at=NOW)

    assert progress.run_once(NOW, 500) == 1
    assert progress.run_once(NOW + SECOND, 500) == 0
    assert progress.run_once(NOW + progress.EVERY, 500) == 1


def test_the_clock_takes_on_no_more_than_it_may(template):
    for _ in range(3):
        make_broadcast(template, state=BroadcastState.EXPANDED)

    assert progress.run_once(NOW, 2) == 2
