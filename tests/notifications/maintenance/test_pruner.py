"""Retention: what goes, what stays, and what a key still knows of an event that was emptied."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connections, transaction

from notifications import ids
from notifications.exceptions import IdempotencyConflict
from notifications.maintenance import pruner
from notifications.maintenance.pruner import Kept
from notifications.models import (
    Attempt,
    Broadcast,
    Delivery,
    Digest,
    Event,
    FrequencyCount,
    Mute,
    Notification,
    ProviderEvent,
)
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_batch_notification, publish_notification
from notifications.types import BroadcastState, DeliveryState, EventState, Outcome, Priority
from tests.factories import make_broadcast
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VARIABLES = {"order_number": "ORD-1"}


@pytest.fixture
def at():
    """Return a function that moves to this long before or after noon."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield lambda offset: traveller.move_to(NOW + offset)


def publish(recipient, **options):
    return publish_notification("ORDER_CREATED", recipient=recipient, variables=VARIABLES, **options)


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def publish_and_send(recipient, **options):
    """Publish, dispatch and deliver by every channel; return the event."""
    published = publish(recipient, **options)
    dispatch()
    for channel in ("email", "sms"):
        deliver_batch(channel, more=lambda: None)
    return Event.objects.get(pk=published.id)


def left(model):
    return set(model.objects.values_list("pk", flat=True))


# --- Events ---------------------------------------------------------------------------------------------------------


def test_an_event_goes_a_day_after_it_and_all_its_deliveries_are_over(alice, template, fake_sms, at):
    publish_and_send(alice)

    assert pruner.run_once(NOW + DAY - HOUR, 10) == 0
    assert pruner.run_once(NOW + DAY, 10) == 1
    assert not Event.objects.exists()
    assert Notification.objects.count() == 1
    assert Delivery.objects.count() == 3


def test_the_day_counts_from_the_last_delivery(template, at):
    event = make_event(template, state=EventState.DISPATCHED)
    make_delivery(event_id=event.pk, state=DeliveryState.SENT)
    at(5 * HOUR)
    make_delivery(event_id=event.pk, state=DeliveryState.SUPPRESSED)

    assert pruner.run_once(NOW + DAY, 10) == 0
    assert pruner.run_once(NOW + DAY + 5 * HOUR, 10) == 1


@pytest.mark.parametrize("state", [EventState.PENDING, EventState.DISPATCHING])
def test_an_event_that_is_not_over_stays_however_old(template, at, state):
    lease = {"lease_token": "9e107d9d-372b-4b68-a5d1-0c2e8f3d7c11", "lease_until": NOW}
    make_event(template, state=state, **(lease if state == EventState.DISPATCHING else {}))

    assert pruner.run_once(NOW + 400 * DAY, 10) == 0


@pytest.mark.parametrize("state", [DeliveryState.PENDING, DeliveryState.SENDING])
def test_an_event_stays_while_a_delivery_of_it_is_not_over(template, at, state):
    event = make_event(template, state=EventState.DISPATCHED)
    lease = {"lease_token": "9e107d9d-372b-4b68-a5d1-0c2e8f3d7c11", "lease_until": NOW}
    make_delivery(event_id=event.pk, state=state, **(lease if state == DeliveryState.SENDING else {}))

    assert pruner.run_once(NOW + 400 * DAY, 10) == 0
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.UNKNOWN])
def test_an_event_stays_a_week_when_a_delivery_of_it_failed(template, at, state):
    event = make_event(template, state=EventState.DISPATCHED)
    make_delivery(event_id=event.pk, state=state)
    at(6 * HOUR)
    make_delivery(event_id=event.pk, state=DeliveryState.SENT)

    assert pruner.run_once(NOW + 7 * DAY, 10) == 0
    assert pruner.run_once(NOW + 7 * DAY + 6 * HOUR, 10) == 1


@pytest.mark.parametrize(
    ("state", "days"),
    [
        (EventState.DISPATCHED, 1),
        (EventState.CANCELLED, 1),
        (EventState.EXPIRED, 1),
        (EventState.FAILED, 7),
    ],
)
def test_how_it_ended_decides_how_long_an_event_stays(template, at, state, days):
    make_event(template, state=state)

    assert pruner.run_once(NOW + days * DAY - HOUR, 10) == 0
    assert pruner.run_once(NOW + days * DAY, 10) == 1


def test_the_times_are_settings(template, at, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RETENTION_EVENTS_DAYS": 0.5, "RETENTION_FAILED_EVENTS_DAYS": 2}
    well, failed = make_event(template, state=EventState.DISPATCHED), make_event(template, state=EventState.FAILED)

    pruner.run_once(NOW + 12 * HOUR, 10)
    assert left(Event) == {failed.pk}
    pruner.run_once(NOW + 2 * DAY, 10)
    assert left(Event) == set()
    assert well.pk


# --- Idempotency keys -----------------------------------------------------------------------------------------------


def test_an_event_with_a_key_is_emptied_and_its_key_still_counts(alice, bob, template, fake_sms, at):
    event = publish_and_send(
        alice, idempotency_key="k", action_url="/orders/1/", action_text="View", channels=["email"]
    )
    at(DAY)

    assert pruner.prune(NOW + DAY, 10) == {Kept.EMPTIED: 1}

    event.refresh_from_db()
    assert (event.variables, event.recipients, event.action_url, event.action_text) == ({}, [], "", "")
    assert (event.emptied_at, event.state, event.planned_count) == (NOW + DAY, EventState.DISPATCHED, 1)
    again = publish(alice, idempotency_key="k", action_url="/orders/1/", action_text="View", channels=["email"])
    assert (again.id, again.created) == (event.pk, False)
    with pytest.raises(IdempotencyConflict):
        publish(bob, idempotency_key="k")
    dispatch()
    assert Delivery.objects.count() == 1


def test_an_emptied_event_is_not_emptied_again(alice, template, fake_sms, at):
    publish_and_send(alice, idempotency_key="k")

    assert pruner.run_once(NOW + DAY, 10) == 1
    assert pruner.run_once(NOW + 2 * DAY, 10) == 0


def test_a_key_counts_for_thirty_days_after_publishing_then_it_is_a_new_event(alice, template, fake_sms, at):
    event = publish_and_send(alice, idempotency_key="k")
    pruner.run_once(NOW + DAY, 10)

    assert pruner.run_once(NOW + 30 * DAY, 10) == 0
    assert pruner.prune(NOW + 30 * DAY + HOUR, 10) == {Kept.KEYS: 1}
    assert publish(alice, idempotency_key="k").id != event.pk


def test_a_key_that_no_longer_counts_goes_with_its_event(template, at):
    make_event(template, state=EventState.DISPATCHED, idempotency_key="k", finished_at=NOW + 40 * DAY)

    assert pruner.prune(NOW + 42 * DAY, 10) == {Kept.EVENTS: 1}


def test_the_failure_of_an_emptied_event_is_not_quoted_any_more(template, at):
    make_event(template, state=EventState.FAILED, idempotency_key="k", last_error="KeyError: 'Alice Smith'")

    pruner.run_once(NOW + 7 * DAY, 10)

    assert Event.objects.get().last_error == ""


# --- Broadcasts -----------------------------------------------------------------------------------------------------


def test_a_broadcast_goes_when_it_is_old_and_its_events_are_gone(alice, template, at):
    model = get_user_model()
    model.objects.bulk_create(model(username=f"user{i}", email=f"user{i}@example.com") for i in range(60))
    publish_batch_notification(
        "ORDER_CREATED", recipients=model.objects.all(), variables=VARIABLES, channels=["in_app"]
    )
    dispatch()

    pruner.run_once(NOW + DAY, 10)
    assert (Event.objects.count(), Broadcast.objects.count()) == (0, 1)
    assert pruner.prune(NOW + 90 * DAY + HOUR, 100) == {Kept.BROADCASTS: 1, Kept.DELIVERIES: 61}


def test_a_broadcast_stays_while_a_key_of_it_counts(template, at, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RETENTION_DELIVERIES_DAYS": 10}
    broadcast = make_broadcast(template, recipient_count=60, created_at=NOW)
    make_event(template, state=EventState.DISPATCHED, broadcast=broadcast, idempotency_key="k")

    pruner.run_once(NOW + 20 * DAY, 10)

    assert Event.objects.get().emptied_at is not None
    assert Broadcast.objects.exists()


def test_a_broadcast_that_waits_for_its_time_stays_however_long(template, at):
    make_broadcast(template, audience="everybody", due_at=NOW + 400 * DAY)

    assert pruner.prune(NOW + 200 * DAY, 10) == {}


def test_what_a_failed_broadcast_had_to_say_goes_after_seven_days(template, at):
    said = {"variables": {"secret": "x"}, "last_error": "KeyError: x", "action_url": "/x/"}
    make_broadcast(template, audience="everybody", state=BroadcastState.FAILED, created_at=NOW, **said)

    assert pruner.prune(NOW + 6 * DAY, 10) == {}
    assert pruner.prune(NOW + 7 * DAY, 10) == {Kept.UNSAID: 1}
    assert pruner.prune(NOW + 8 * DAY, 10) == {}
    row = Broadcast.objects.get()
    assert (row.variables, row.last_error, row.action_url) == ({}, "", "")


# --- What people asked for ------------------------------------------------------------------------------------------


def test_digests_counts_and_mutes_go_when_they_are_over(alice, template, at):
    Digest.objects.create(
        id=ids.uuid7_at(NOW), recipient=alice, channel="email", category_id="orders", key="k", state="closed",
        opened_at=NOW, due_at=NOW, closed_at=NOW,
    )  # fmt: skip
    FrequencyCount.objects.create(recipient=alice, category_id="orders", day=NOW.date(), number=1)
    Mute.objects.create(recipient=alice, about="a:1", created_at=NOW, until=NOW + DAY)
    Mute.objects.create(recipient=alice, about="a:2", created_at=NOW)

    assert pruner.prune(NOW + HOUR, 10) == {}
    assert pruner.prune(NOW + DAY, 10) == {Kept.MUTES: 1}
    assert pruner.prune(NOW + 3 * DAY, 10) == {Kept.COUNTS: 1}
    assert pruner.prune(NOW + 91 * DAY, 10) == {Kept.DIGESTS: 1}
    assert Mute.objects.get().about == "a:2"


# --- Deliveries and inbox items -------------------------------------------------------------------------------------


def test_deliveries_go_after_ninety_days_with_their_attempts_and_what_was_told_of_them(alice, template, fake_sms, at):
    publish_and_send(alice)
    pruner.run_once(NOW + DAY, 10)
    ProviderEvent.objects.create(
        delivery=Delivery.objects.get(channel="sms"), event_id="e-1", kind="delivered", at=NOW, received_at=NOW
    )

    assert pruner.run_once(NOW + 90 * DAY, 10) == 0
    expected = {Kept.DELIVERIES: 3, Kept.ATTEMPTS: 2, Kept.FEEDBACK: 1}
    assert pruner.count(NOW + 90 * DAY + HOUR) == expected
    assert pruner.prune(NOW + 90 * DAY + HOUR, 10) == expected
    assert not Attempt.objects.exists()
    assert not ProviderEvent.objects.exists()
    assert Notification.objects.count() == 1


def test_a_delivery_that_is_not_over_stays_however_old(at):
    waiting = make_delivery()
    make_delivery(state=DeliveryState.FAILED)

    pruner.run_once(NOW + 400 * DAY, 10)

    assert left(Delivery) == {waiting.pk}


def test_nothing_goes_before_the_event_that_accounts_for_it(alice, template, fake_sms, at, settings):
    settings.NOTIFICATIONS = {
        **settings.NOTIFICATIONS,
        "RETENTION_DELIVERIES_DAYS": 0.1,
        "RETENTION_INBOX_DAYS": 0.1,
    }
    publish_and_send(alice)

    assert pruner.run_once(NOW + 12 * HOUR, 10) == 0
    assert pruner.prune(NOW + DAY, 10) == {
        Kept.EVENTS: 1,
        Kept.NOTIFICATIONS: 1,
        Kept.DELIVERIES: 3,
        Kept.ATTEMPTS: 2,
    }


def test_inbox_items_stay_for_ever_unless_their_own_setting_says_otherwise(alice, template, fake_sms, at, settings):
    publish_and_send(alice)

    while pruner.run_once(NOW + 4000 * DAY, 10):
        pass
    assert Notification.objects.count() == 1
    assert not Delivery.objects.exists()

    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RETENTION_INBOX_DAYS": 365}
    assert pruner.run_once(NOW + 365 * DAY, 10) == 0
    assert pruner.prune(NOW + 366 * DAY, 10) == {Kept.NOTIFICATIONS: 1}


def test_an_inbox_item_goes_before_its_deliveries_if_its_setting_says_so(alice, template, fake_sms, at, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RETENTION_INBOX_DAYS": 30}
    publish_and_send(alice)
    pruner.run_once(NOW + DAY, 10)

    assert pruner.prune(NOW + 31 * DAY, 10) == {Kept.NOTIFICATIONS: 1}
    assert Delivery.objects.filter(notification=None).count() == 3


def test_an_inbox_item_waits_for_its_live_deliveries(alice, template, at, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RETENTION_INBOX_DAYS": 1}
    publish(alice)
    dispatch()
    Event.objects.all().delete()

    assert pruner.run_once(NOW + 10 * DAY, 10) == 0


# --- How it goes about it -------------------------------------------------------------------------------------------


def test_the_oldest_go_first_at_most_so_many_of_a_class(template, at):
    made = []
    for minute in range(3):
        at(timedelta(minutes=minute))
        made.append(make_event(template, state=EventState.DISPATCHED))
        make_delivery(state=DeliveryState.SENT)

    assert pruner.run_once(NOW + 100 * DAY, 2) == 4
    assert left(Event) == {made[2].pk}
    assert pruner.run_once(NOW + 100 * DAY, 2) == 2
    assert pruner.run_once(NOW + 100 * DAY, 2) == 0


def test_counting_says_what_would_go_and_takes_nothing(alice, template, fake_sms, at):
    publish_and_send(alice, idempotency_key="k")
    make_event(template, state=EventState.EXPIRED)
    old = make_delivery(state=DeliveryState.SENT)
    Attempt.objects.create(delivery=old, number=1, started_at=NOW, duration=HOUR, outcome=Outcome.SENT)

    assert pruner.count(NOW + DAY) == {Kept.EVENTS: 1, Kept.EMPTIED: 1}
    assert pruner.count(NOW + 91 * DAY) == {Kept.EVENTS: 2, Kept.DELIVERIES: 1, Kept.ATTEMPTS: 1}
    assert (Event.objects.count(), Delivery.objects.count(), Attempt.objects.count()) == (2, 4, 3)


def test_what_is_sent_round_again_before_the_lock_is_ours_stays(template, at):
    event = make_event(template, state=EventState.DISPATCHED)
    delivery = make_delivery(event_id=event.pk, state=DeliveryState.FAILED)
    overdue = pruner._overdue(NOW + 8 * DAY)[Kept.EVENTS]

    with transaction.atomic():
        chosen = pruner._locked(overdue, 10)
        Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.PENDING, finished_at=None)
        chosen.delete()

    assert left(Event) == {event.pk}


def test_with_nothing_old_a_round_costs_a_few_look_ups(template, at, django_assert_max_num_queries):
    for _ in range(20):
        make_event(template, state=EventState.DISPATCHED)

    with django_assert_max_num_queries(35):
        pruner.run_once(NOW + HOUR, 500)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_take_every_row_once(template):
    with time_machine.travel(NOW, tick=False):
        events = [make_event(template, state=EventState.DISPATCHED) for _ in range(30)]
        for event in events:
            make_delivery(event_id=event.pk, state=DeliveryState.SENT)
    removed: list[int] = []
    errors: list[Exception] = []

    def work():
        try:
            removed.extend(pruner.run_once(NOW + 100 * DAY, 5) for _ in range(12))
        except Exception as e:  # noqa: BLE001 - a thread's error would be lost
            errors.append(e)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert sum(removed) == 60
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()
