"""Redrive: what goes round again, what is left alone and why, and that history stays."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.utils import timezone

from notifications import wakeups
from notifications.exceptions import PermanentError, TransientError
from notifications.maintenance import pruner
from notifications.models import Attempt, Broadcast, Delivery, Event, Template
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import cancel_event, publish_notification
from notifications.services import redrive
from notifications.services.failed import REDRIVABLE, Obstacle, Selection
from notifications.services.redrive import Group, Redriven
from notifications.types import BroadcastState, DeliveryState, EventState, Outcome, Priority, Reason
from tests import adapters
from tests.adapters import Once, Scripted
from tests.factories import make_broadcast, make_template
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = Selection()


@pytest.fixture
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def use(settings):
    """Return a function that puts an adapter in place of those for e-mail and text messages."""
    in_use = {"BACKEND": "tests.adapters.in_use"}
    settings.NOTIFICATION_CHANNELS = {"email": in_use, "sms": in_use}
    return adapters.use


@pytest.fixture
def rung(monkeypatch):
    """Return the actors that were woken."""
    calls: list = []
    monkeypatch.setattr(wakeups._sender, "put", lambda actor, delay: calls.append(actor))
    return calls


def dispatched(recipient, channel="email", **options):
    """Publish and dispatch; return the delivery."""
    published = publish_notification(
        "ORDER_CREATED", recipient=recipient, variables={"order_number": "ORD-1"}, channels=[channel], **options
    )
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    return Delivery.objects.get(event_id=published.id)


def deliver(channel="email"):
    return deliver_batch(channel, more=lambda: None)


def failed(recipient, use, channel="email", **options):
    """Publish, dispatch and fail; return the delivery."""
    use(Scripted(PermanentError(code="550")))
    delivery = dispatched(recipient, channel, **options)
    deliver(channel)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.FAILED
    return delivery


def obstacles(selection=ALL, now=None):
    return {group.obstacle for group in redrive.count(selection, now=now or NOW + HOUR)}


def again(selection=ALL, now=None, **options):
    return redrive.redrive(selection, now=now or NOW + HOUR, **options)


# --- What it does ---------------------------------------------------------------------------------------------------


def test_a_failed_delivery_is_sent_and_its_history_stays(alice, template, use, traveller):
    adapter = use(Scripted(PermanentError(code="550")))
    delivery = dispatched(alice)
    deliver()
    traveller.shift(HOUR)

    assert again() == Redriven(events=0, deliveries=1)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.due_at) == (DeliveryState.PENDING, "", NOW + HOUR)
    assert (delivery.finished_at, delivery.claims, delivery.attempts) == (None, 0, 1)
    deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.SENT, 2)
    assert list(delivery.tries.values_list("number", "outcome")) == [(1, Outcome.PERMANENT), (2, Outcome.SENT)]
    assert [message.delivery_id for message in adapter.messages] == [delivery.pk, delivery.pk]


def test_its_retry_schedule_begins_anew(alice, template, use, traveller):
    use(Scripted(*[TransientError(code="451")] * 40))
    delivery = dispatched(alice, "sms")
    tried_at = []
    for second in range(60):
        traveller.move_to(NOW + timedelta(seconds=second))
        if second == 30:
            again(now=NOW + timedelta(seconds=30))
        if deliver("sms"):
            tried_at.append(second)

    assert tried_at == [0, 2, 6, 14, 30, 32, 36, 44]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, Reason.RETRIES_EXHAUSTED)
    assert (delivery.attempts, delivery.attempts_before) == (8, 4)


def test_an_event_that_could_not_be_dispatched_is_dispatched_again(alice, template, traveller):
    event = make_event(
        template,
        state=EventState.FAILED,
        last_error="ValueError: x",
        recipients=[str(alice.pk)],
        variables={"order_number": "ORD-1"},
    )

    assert again() == Redriven(events=1, deliveries=0)

    event.refresh_from_db()
    assert (event.state, event.due_at, event.last_error) == (EventState.PENDING, NOW + HOUR, "")
    traveller.shift(HOUR)
    dispatch_batch(Priority.LOW, more=lambda: None)
    assert Delivery.objects.filter(event_id=event.pk).count() == 3


def test_the_actors_are_woken_after_the_commit(
    alice, template, use, traveller, rung, django_capture_on_commit_callbacks
):
    failed(alice, use)
    failed(alice, use, "sms")
    make_event(template, state=EventState.FAILED, priority=Priority.HIGH)
    rung.clear()

    with django_capture_on_commit_callbacks(execute=True):
        again()
        assert rung == []

    assert sorted(rung) == ["deliver_email", "deliver_sms", "dispatch_high"]


def test_unknown_deliveries_go_only_when_asked_for(alice, template, use, traveller):
    use(Once(ZeroDivisionError()))
    delivery = dispatched(alice, "sms")
    deliver("sms")
    asked_for = Selection(include_unknown=True)

    assert again() == Redriven(events=0, deliveries=0)
    assert obstacles() == {Obstacle.UNKNOWN}
    assert obstacles(asked_for) == {None}
    assert again(asked_for) == Redriven(events=0, deliveries=1)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.started_at) == (DeliveryState.PENDING, None)


# --- What it leaves alone -------------------------------------------------------------------------------------------


def test_what_was_accepted_after_all_is_not_sent_twice(alice, template, use, traveller):
    delivery = failed(alice, use)
    Attempt.objects.create(delivery=delivery, number=1, started_at=NOW, duration=HOUR, outcome=Outcome.SENT)

    assert again() == Redriven(events=0, deliveries=0)
    assert obstacles() == {Obstacle.ACCEPTED}


def test_what_was_cancelled_stays_cancelled(alice, template, use, traveller):
    delivery = failed(alice, use)
    cancel_event(delivery.event_id)

    assert again() == Redriven(events=0, deliveries=0)
    assert obstacles() == {Obstacle.CANCELLED}


def test_a_cancelled_broadcast_stays_cancelled(template, traveller):
    broadcast = make_broadcast(template, recipient_count=60, created_at=NOW, cancelled_at=NOW)
    event = make_event(template, state=EventState.FAILED, broadcast=broadcast)
    make_delivery(event_id=event.pk, broadcast_id=broadcast.pk, state=DeliveryState.FAILED)

    assert again() == Redriven(events=0, deliveries=0)
    assert obstacles() == {Obstacle.CANCELLED}


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_round_again_in_the_middle_of_its_cancelling_stays_cancelled(template):
    event = make_event(template, state=EventState.FAILED, finished_at=NOW)
    updates: list = []

    def again_elsewhere():
        again()
        connections.close_all()

    meanwhile = threading.Thread(target=again_elsewhere)

    def meddle(execute, sql, params, many, context):
        if sql.startswith('UPDATE "notifications_event"'):
            updates.append(sql)
            if len(updates) == 2:
                meanwhile.start()
                # It has to wait for us; we do not wait for it.
                meanwhile.join(1)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meddle):
        cancel_event(event.pk)
    meanwhile.join()

    event.refresh_from_db()
    assert (event.state, event.cancelled_at is not None) == (EventState.FAILED, True)


def test_a_broadcast_that_could_not_be_expanded_begins_again(template, traveller, rung):
    broken = make_broadcast(
        template, audience="x", state=BroadcastState.FAILED, last_error="x", completed_at=NOW, slot=1, claims=2
    )
    crashed = make_broadcast(template, audience="x", state=BroadcastState.FAILED, last_error=Reason.WORKER_CRASHED)
    called_back = make_broadcast(template, audience="x", state=BroadcastState.FAILED, cancelled_at=NOW)
    groups = {(group.channel, group.reason, group.obstacle) for group in redrive.count(ALL, now=NOW + HOUR)}
    assert groups == {
        ("", Reason.EXPANSION_ERROR, None),
        ("", Reason.WORKER_CRASHED, None),
        ("", Reason.EXPANSION_ERROR, Obstacle.CANCELLED),
    }

    with transaction.atomic():
        assert again(Selection(broadcast_id=broken.pk)) == Redriven(broadcasts=1, events=0, deliveries=0)
    assert again() == Redriven(broadcasts=1, events=0, deliveries=0)

    broken.refresh_from_db()
    assert (broken.state, broken.last_error, broken.claims) == (BroadcastState.PENDING, "", 0)
    assert (broken.slot, broken.finished_at, broken.completed_at) == (None, None, None)
    assert Broadcast.objects.get(pk=crashed.pk).state == BroadcastState.PENDING
    assert Broadcast.objects.get(pk=called_back.pk).state == BroadcastState.FAILED


def test_the_progress_of_a_broadcast_is_measured_again_when_something_of_it_goes_round(template, traveller):
    done = make_broadcast(template, completed_at=NOW)
    make_delivery(broadcast_id=done.pk, state=DeliveryState.FAILED, content={"body": "x"})
    other = make_broadcast(template, completed_at=NOW)

    assert again(Selection(broadcast_id=done.pk)) == Redriven(events=0, deliveries=1)

    assert Broadcast.objects.get(pk=done.pk).completed_at is None
    assert Broadcast.objects.get(pk=other.pk).completed_at is not None


def test_what_is_too_late_stays(alice, template, use, traveller):
    failed(alice, use, expires_in=HOUR)
    make_event(template, state=EventState.FAILED, expires_at=NOW + HOUR)

    assert obstacles(now=NOW + HOUR / 2) == {None}
    assert again() == Redriven(events=0, deliveries=0)
    assert obstacles() == {Obstacle.EXPIRED}


@pytest.mark.parametrize("key", [None, "k"], ids=["deleted", "emptied"])
def test_what_retention_has_taken_the_content_of_stays(alice, template, use, traveller, key):
    failed(alice, use, idempotency_key=key)
    pruner.run_once(NOW + timedelta(days=8), 10)

    assert again() == Redriven(events=0, deliveries=0)
    assert obstacles() == {Obstacle.CONTENT_GONE}


def test_an_emptied_event_that_failed_stays(template, traveller):
    make_event(template, state=EventState.FAILED, emptied_at=NOW, idempotency_key="k")

    assert again() == Redriven(events=0, deliveries=0)
    assert obstacles() == {Obstacle.CONTENT_GONE}


def test_a_direct_delivery_has_its_content_with_it(traveller):
    make_delivery(state=DeliveryState.FAILED, content={"body": "x"})

    assert again() == Redriven(events=0, deliveries=1)


@pytest.mark.parametrize("channel", ["in_app", "web_push"])
def test_what_no_worker_sends_is_not_made_to_wait_for_ever(template, traveller, channel):
    event = make_event(template, state=EventState.DISPATCHED)
    make_delivery(event_id=event.pk, channel=channel, state=DeliveryState.FAILED)

    assert again() == Redriven(events=0, deliveries=0)
    assert obstacles() == {Obstacle.NOT_SENDABLE}


@pytest.mark.parametrize(
    "state", [state for state in DeliveryState if state not in {*REDRIVABLE, DeliveryState.SENDING}]
)
def test_only_what_failed_is_sent_round_again(template, traveller, state):
    event = make_event(template, state=EventState.DISPATCHED)
    make_delivery(event_id=event.pk, state=state)

    assert again(Selection(include_unknown=True)) == Redriven(events=0, deliveries=0)


@pytest.mark.parametrize("state", [EventState.PENDING, EventState.DISPATCHED, EventState.CANCELLED, EventState.EXPIRED])
def test_only_an_event_that_failed_is_dispatched_again(template, traveller, state):
    make_event(template, state=state)

    assert again() == Redriven(events=0, deliveries=0)


def test_a_delivery_of_an_emptied_event_that_is_sent_all_the_same_says_that_its_content_is_gone(
    alice, template, use, traveller
):
    adapter = use(Scripted())
    delivery = dispatched(alice)
    Event.objects.update(emptied_at=NOW, variables={})

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, Reason.CONTENT_GONE)
    assert adapter.messages == []


# --- Which are meant ------------------------------------------------------------------------------------------------


@pytest.fixture
def many(template, traveller):
    """Failed at noon and at one: by two channels, for two reasons, of two templates, and two events."""
    other = make_template("ORDER_SHIPPED")
    event = make_event(template, state=EventState.DISPATCHED)
    make_event(template, state=EventState.FAILED, last_error="ValueError: x")
    make_event(other, state=EventState.FAILED, last_error=Reason.WORKER_CRASHED)
    rows = {
        "a": {"channel": "email", "reason": Reason.REJECTED, "template": template},
        "b": {"channel": "sms", "reason": Reason.REJECTED, "template": template},
        "c": {"channel": "email", "reason": Reason.WORKER_CRASHED, "template": other},
        "d": {"channel": "email", "reason": Reason.REJECTED, "template": other, "finished_at": NOW + HOUR},
    }
    return {
        name: make_delivery(event_id=event.pk, state=DeliveryState.FAILED, **changes) for name, changes in rows.items()
    }


@pytest.mark.parametrize(
    ("selection", "deliveries", "events"),
    [
        ({}, "abcd", 2),
        ({"channel": "email"}, "acd", 0),
        ({"reason": Reason.REJECTED}, "abd", 0),
        ({"reason": Reason.WORKER_CRASHED}, "c", 1),
        ({"reason": Reason.DISPATCH_ERROR}, "", 1),
        ({"template": "ORDER_SHIPPED"}, "cd", 1),
        ({"since": NOW + HOUR}, "d", 0),
        ({"until": NOW + HOUR}, "abc", 2),
        ({"channel": "email", "reason": Reason.REJECTED, "template": "ORDER_CREATED"}, "a", 0),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else None,
)
def test_only_what_is_meant_goes(many, selection, deliveries, events):
    chosen = Selection(**selection)
    now = NOW + 2 * HOUR

    counted = redrive.count(chosen, now=now)

    assert sum(group.number for group in counted if group.channel) == len(deliveries)
    assert sum(group.number for group in counted if not group.channel) == events
    assert again(chosen, now) == Redriven(events=events, deliveries=len(deliveries))
    pending = set(Delivery.objects.filter(state=DeliveryState.PENDING).values_list("pk", flat=True))
    assert pending == {many[name].pk for name in deliveries}


def test_one_event_or_some_deliveries_can_be_named(many, template):
    now = NOW + 2 * HOUR
    event = Event.objects.get(state=EventState.FAILED, template=template)

    assert again(Selection(event_id=event.pk), now) == Redriven(events=1, deliveries=0)
    assert again(Selection(delivery_ids=(many["a"].pk, many["b"].pk)), now) == Redriven(events=0, deliveries=2)
    assert again(Selection(event_id=many["c"].event_id), now) == Redriven(events=0, deliveries=2)


def test_it_counts_by_channel_and_reason_the_most_numerous_first(many):
    make_delivery(state=DeliveryState.FAILED, channel="email", reason=Reason.REJECTED)

    assert redrive.count(ALL, now=NOW + 2 * HOUR) == [
        Group(channel="email", reason="rejected", obstacle=None, number=2),
        Group(channel="", reason="dispatch_error", obstacle=None, number=1),
        Group(channel="", reason="worker_crashed", obstacle=None, number=1),
        Group(channel="email", reason="rejected", obstacle=Obstacle.CONTENT_GONE, number=1),
        Group(channel="email", reason="worker_crashed", obstacle=None, number=1),
        Group(channel="sms", reason="rejected", obstacle=None, number=1),
    ]


def test_a_limit_takes_events_and_then_what_failed_first(many):
    assert again(now=NOW + 2 * HOUR, limit=5) == Redriven(events=2, deliveries=3)

    assert Delivery.objects.get(state=DeliveryState.FAILED).pk == many["d"].pk
    assert again(now=NOW + 2 * HOUR, limit=1) == Redriven(events=0, deliveries=1)


def test_many_go_in_batches_and_none_is_passed_over(template, traveller, monkeypatch):
    monkeypatch.setattr(redrive, "BATCH", 2)
    event = make_event(template, state=EventState.DISPATCHED)
    for second in (0, 0, 0, 1, 1, 2, 3):
        make_delivery(event_id=event.pk, state=DeliveryState.FAILED, finished_at=NOW + timedelta(seconds=second))
        make_event(template, state=EventState.FAILED, finished_at=NOW + timedelta(seconds=second))

    assert again() == Redriven(events=7, deliveries=7)
    assert Template.objects.count() == 1


def test_what_fails_again_meanwhile_does_not_go_round_for_ever(alice, template, use, traveller):
    failed(alice, use)

    assert again(now=NOW - HOUR) == Redriven(events=0, deliveries=0)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_send_each_row_round_again_once(template):
    event = make_event(template, state=EventState.DISPATCHED)
    for _ in range(40):
        make_delivery(event_id=event.pk, state=DeliveryState.FAILED, attempts=1)
        make_event(template, state=EventState.FAILED)
    now = timezone.now()

    def work(_):
        try:
            return redrive.redrive(ALL, now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, range(4)))

    assert sum(part.events for part in done) == 40
    assert sum(part.deliveries for part in done) == 40
    assert set(Delivery.objects.values_list("attempts_before", flat=True)) == {1}
