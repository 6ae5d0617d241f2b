"""Events become notifications and deliveries, all of a batch or none."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import InternalError, connection
from django.utils import timezone

from notifications import conf, wakeups
from notifications.models import Delivery, Event, Notification, Preference, Template
from notifications.pipeline import capping, claiming, dispatch, facts, planning, routing, wording
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import cancel_event, publish_batch_notification, publish_notification
from notifications.types import Cadence, DeliveryState, EventState, Priority, Reason
from tests.factories import make_template, publish_version
from tests.threads import at_once

VARIABLES = {"order_number": "ORD-1"}


def dispatch_all(priority=Priority.LOW):
    """Dispatch until nothing is due; return how many events were handled."""
    total = 0
    while number := dispatch_batch(priority, more=lambda: None):
        total += number
    return total


def publish(recipient, **options):
    return publish_notification("ORDER_CREATED", recipient=recipient, variables=VARIABLES, **options)


def deliveries_of(user):
    return {row.channel: row for row in Delivery.objects.filter(recipient=user)}


def test_an_event_becomes_an_inbox_item_and_one_delivery_per_channel(alice, template):
    published = publish(alice, action_url="/orders/1/", action_text="View", about=alice)

    assert dispatch_all() == 1

    item = Notification.objects.get()
    assert (item.title, item.body) == ("Order ORD-1", "We have it.")
    assert (item.event_id, item.recipient, item.category_id) == (published.id, alice, "orders")
    assert (item.action_url, item.action_text, item.about) == ("/orders/1/", "View", f"auth.user:{alice.pk}")
    assert item.listed_at is not None
    rows = deliveries_of(alice)
    assert rows["in_app"].state == DeliveryState.SENT
    assert rows["in_app"].sent_at is not None
    assert (rows["email"].state, rows["email"].address) == (DeliveryState.PENDING, "alice@example.com")
    assert (rows["sms"].state, rows["sms"].address) == (DeliveryState.PENDING, "+4915550001001")
    assert {row.version_id for row in rows.values()} == {Template.objects.get().live_version_id}
    event = Event.objects.get()
    assert event.state == EventState.DISPATCHED
    assert (event.recipient_count, event.planned_count, event.unknown_count) == (1, 3, 0)
    assert event.lease_token is None


def test_a_reader_of_another_language_gets_the_nearest_wording(bob, template):
    publish(bob)

    dispatch_all()

    assert Notification.objects.get().title == "Bestellung ORD-1"


def test_a_route_that_is_not_taken_is_a_row_with_its_reason(bob, template):
    Preference.objects.create(recipient=bob, category=template.category, channel="in_app", cadence=Cadence.OFF)

    publish(bob)
    dispatch_all()

    rows = deliveries_of(bob)
    assert (rows["in_app"].state, rows["in_app"].reason) == (DeliveryState.SUPPRESSED, Reason.CATEGORY_OFF)
    assert (rows["sms"].state, rows["sms"].reason) == (DeliveryState.SUPPRESSED, Reason.NO_ADDRESS)
    assert Notification.objects.get().listed_at is None
    assert Event.objects.get().planned_count == 3


def test_unknown_users_are_counted_and_never_fatal(alice, template):
    publish_batch_notification("ORDER_CREATED", recipients=[alice, 999_999], variables=VARIABLES)

    dispatch_all()

    event = Event.objects.get()
    assert (event.recipient_count, event.unknown_count, event.planned_count) == (2, 1, 3)
    assert Notification.objects.count() == 1


# SQLite splits an INSERT at 999 values; the larger batch is counted in tests/integration.
@pytest.mark.parametrize("number", [1, 8])
def test_a_batch_costs_the_same_queries_whatever_its_size(template, number, django_assert_num_queries):
    model = get_user_model()
    users = model.objects.bulk_create(model(username=f"u{i}", email=f"u{i}@example.com") for i in range(number))
    for user in users:
        publish(user)
    wording.contents_of([template.live_version_id])

    # pauses; 3 empty claims and the full one; template, users, settings, preferences; savepoint, lock, 2 inserts, close, release
    with django_assert_num_queries(17):
        dispatch_batch(Priority.LOW, more=lambda: None)

    assert Notification.objects.count() == number


def test_one_events_error_fails_it_alone(alice, bob, template, monkeypatch):
    good, bad = publish(alice), publish(bob)
    plan = routing.plan

    def breaks_for_bob(event, recipient, *, now):
        if recipient.addresses["email"][0].startswith("bob"):
            raise ZeroDivisionError(*recipient.addresses["email"])
        return plan(event, recipient, now=now)

    monkeypatch.setattr(routing, "plan", breaks_for_bob)
    dispatch_all()

    states = dict(Event.objects.values_list("pk", "state"))
    assert states == {good.id: EventState.DISPATCHED, bad.id: EventState.FAILED}
    failed = Event.objects.get(pk=bad.id)
    assert failed.last_error == "ZeroDivisionError: bob@example.com"
    assert failed.lease_token is None
    assert list(Notification.objects.values_list("recipient", flat=True)) == [alice.pk]


@pytest.mark.parametrize("error", claiming.DATABASE_TROUBLE)
def test_an_outage_of_the_database_is_not_the_events_fault(alice, template, monkeypatch, error):
    published = publish(alice)

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(facts, "templates", refuse)
    with pytest.raises(error):
        dispatch_all()
    monkeypatch.undo()

    assert Event.objects.get(pk=published.id).state == EventState.DISPATCHING
    claiming.reclaim(Event, now=timezone.now() + timedelta(minutes=2), limit=10)
    assert dispatch_all() == 1
    assert Event.objects.get(pk=published.id).state == EventState.DISPATCHED


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite knows nobody who is suspended")
@pytest.mark.django_db(transaction=True)
def test_who_is_suspended_within_its_transaction_holds_up_nobody(alice, template, monkeypatch):
    published = publish(alice)

    def take_over():
        for _ in range(100):
            if claiming.reclaim(Event, now=timezone.now() + timedelta(minutes=2), limit=10):
                break
            time.sleep(0.05)
        assert dispatch_all() == 1

    def suspend(*_, **__):
        monkeypatch.undo()
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            assert cursor.fetchone() == ("30s",)
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
        at_once(take_over)

    monkeypatch.setattr(capping, "apply", suspend)
    with pytest.raises(InternalError, match="idle-in-transaction"):
        dispatch_all()

    assert Event.objects.get(pk=published.id).state == EventState.DISPATCHED
    assert Notification.objects.count() == 1


def test_wording_that_cannot_be_rendered_fails_in_app_only(alice, template):
    publish_version(
        template, {("in_app", ""): {"title": "{{ missing }}", "body": "x"}, ("email", ""): {"title": "t", "body": "b"}}
    )

    publish(alice)
    dispatch_all()

    rows = deliveries_of(alice)
    assert (rows["in_app"].state, rows["in_app"].reason) == (DeliveryState.FAILED, Reason.RENDER_ERROR)
    assert "missing" in rows["in_app"].last_error
    assert rows["email"].state == DeliveryState.PENDING
    assert Notification.objects.get().listed_at is None


def test_a_late_event_expires_and_tells_nobody(alice, template):
    published = publish(alice, expires_in=timedelta(seconds=1))
    Event.objects.filter(pk=published.id).update(expires_at=timezone.now() - timedelta(seconds=1))

    dispatch_all()

    assert Event.objects.get().state == EventState.EXPIRED
    assert not Notification.objects.exists()


def test_an_event_cancelled_while_it_is_planned_writes_nothing(alice, bob, template):
    cancelled, kept = publish(alice), publish(bob)
    claim = claiming.claim(
        Event, priorities=list(Priority), now=timezone.now(), lease=conf.current().lease_time, limit=10
    )
    planned = planning.plan_events(claim.rows, now=timezone.now())
    cancel_event(cancelled.id)

    dispatch._write(planned, claim.token)

    assert dict(Event.objects.values_list("pk", "state")) == {
        cancelled.id: EventState.CANCELLED,
        kept.id: EventState.DISPATCHED,
    }
    assert list(Notification.objects.values_list("recipient", flat=True)) == [bob.pk]


def test_an_actor_takes_its_own_priority_and_above(alice, template):
    for priority in ("urgent", "normal", "low"):
        publish(alice, priority=priority)

    assert dispatch_all(Priority.NORMAL) == 2
    assert Event.objects.get(state=EventState.PENDING).priority == Priority.LOW


def test_a_full_claim_asks_for_help_before_it_works(alice, template, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "DISPATCH_BATCH": 2}
    for _ in range(3):
        publish(alice)
    asked: list = []

    dispatch_batch(Priority.LOW, more=lambda: asked.append(Notification.objects.count()))
    dispatch_batch(Priority.LOW, more=lambda: asked.append(Notification.objects.count()))

    assert asked == [0]


def test_the_channels_with_work_are_woken_after_commit(alice, template, rung, django_capture_on_commit_callbacks):
    publish(alice)

    with django_capture_on_commit_callbacks(execute=True):
        dispatch_all()

    assert sorted(actor for actor, _ in rung) == [wakeups.deliver_actor("email"), wakeups.deliver_actor("sms")]


def test_a_required_category_reaches_people_who_switched_it_off(alice):
    template = make_template("PAYMENT_FAILED", category="payments", required=True)
    Preference.objects.create(recipient=alice, template=template, channel="email", cadence=Cadence.OFF)

    publish_notification("PAYMENT_FAILED", recipient=alice, variables=VARIABLES)
    dispatch_all()

    assert deliveries_of(alice)["email"].state == DeliveryState.PENDING


def test_numbers_are_written_as_each_reader_writes_them(alice, bob, template):
    template.variables = {"total": {"sample": "1499.00", "required": True}}
    publish_version(template, {("in_app", ""): {"title": "{{ total|floatformat:'2g' }}", "body": "x"}})

    publish_batch_notification("ORDER_CREATED", recipients=[alice, bob], variables={"total": "1499.00"})
    dispatch_all()

    titles = dict(Notification.objects.values_list("recipient__username", "title"))
    assert titles == {"alice": "1,499.00", "bob": "1.499,00"}


def test_an_event_that_was_taken_over_is_not_failed_by_its_former_holder(alice, template):
    event = Event.objects.get(pk=publish(alice).id)

    dispatch._fail(event, uuid4(), ZeroDivisionError())

    event.refresh_from_db()
    assert (event.state, event.last_error) == (EventState.PENDING, "")


def test_words_that_name_the_reader_are_written_for_each(alice, bob, template):
    publish_version(template, {("in_app", ""): {"title": "Hello {{ recipient_name }}", "body": "x"}})

    publish_batch_notification("ORDER_CREATED", recipients=[alice, bob], variables=VARIABLES)
    dispatch_all()

    titles = dict(Notification.objects.values_list("recipient__username", "title"))
    assert titles == {"alice": "Hello Alice", "bob": "Hello Bob"}
