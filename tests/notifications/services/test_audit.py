"""The audit: all is well after real work, and each kind of loss is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.maintenance import pruner
from notifications.models import Attempt, Broadcast, Delivery, Event, Notification, TemplateContent
from notifications.pipeline import pausing, wording
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import cancel_event, publish_batch_notification, publish_notification
from notifications.services import audit, pauses
from notifications.services.audit import Kind
from notifications.types import BroadcastState, DeliveryState, EventState, Outcome, PauseScope, Priority
from tests.factories import make_broadcast
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
VARIABLES = {"order_number": "ORD-1"}


@pytest.fixture
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def story(alice, bob, template, fake_sms, traveller):
    """Tell Alice (three channels), Bob (no phone), an unknown user and Alice once more; then all is sent."""
    publish_batch_notification("ORDER_CREATED", recipients=[alice, bob, 999_999, alice], variables=VARIABLES)
    work()


def work():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    for channel in ("email", "sms"):
        deliver_batch(channel, more=lambda: None)


def first(rows):
    """Return the first row; there is one."""
    return rows.first()


def kinds(now=NOW, **options):
    return {finding.kind for finding in audit.audit(now=now, **options).findings}


def test_after_all_is_sent_all_is_well(story):
    audited = audit.audit(now=NOW + 10 * MINUTE)

    assert audited == audit.Audit(events=1, deliveries=6, findings=())


def test_with_nothing_published_all_is_well():
    assert audit.audit(now=NOW) == audit.Audit(events=0, deliveries=0, findings=())


@pytest.mark.parametrize(
    "end",
    [
        lambda event: cancel_event(event.pk),
        lambda event: Event.objects.update(state=EventState.FAILED, finished_at=NOW),
        lambda event: Event.objects.update(state=EventState.EXPIRED, finished_at=NOW),
    ],
    ids=["cancelled", "failed", "expired"],
)
def test_an_event_that_was_not_dispatched_is_explained_by_its_state(alice, template, traveller, end):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)
    end(Event.objects.get())

    assert kinds(NOW + 10 * MINUTE) == set()


def test_what_waits_for_its_time_is_well(alice, template, traveller):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, delay=60 * MINUTE)

    assert kinds(NOW + 64 * MINUTE) == set()


def test_a_template_without_any_wording_plans_nothing_and_loses_nothing(alice, template, traveller):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)
    TemplateContent.objects.all().delete()
    wording.forget()
    work()

    assert Notification.objects.exists()
    assert kinds() == set()


# --- Broadcasts ---------------------------------------------------------------------------------------------------


@pytest.fixture
def broadcast(alice, template, traveller):
    """A broadcast that made two events, one of them dispatched."""
    row = make_broadcast(template, audience="everybody", state=BroadcastState.EXPANDED, event_count=2)
    for _ in range(2):
        make_event(template, broadcast=row, recipients=[str(alice.pk)], channels=["in_app"], priority=Priority.LOW)
    work()
    return row


def test_a_broadcast_whose_events_are_all_there_is_well(broadcast):
    assert kinds(NOW + 6 * MINUTE) == set()


def test_an_event_that_is_missing_from_its_broadcast_is_seen(broadcast):
    event = first(Event.objects.all())
    Delivery.objects.filter(event_id=event.pk).delete()
    event.delete()

    (finding,) = audit.audit(now=NOW).findings

    assert (finding.kind, finding.first[0].id) == (Kind.EXPANSION, broadcast.pk)
    assert finding.first[0].detail == "made 2, found 1"


def test_events_of_a_broadcast_that_retention_may_have_taken_are_not_missed(broadcast):
    Delivery.objects.all().delete()
    Event.objects.all().delete()

    assert kinds(NOW + timedelta(days=1)) == set()


def test_a_broadcast_that_nobody_expands_or_frees_is_seen(broadcast):
    Broadcast.objects.update(state=BroadcastState.PENDING, finished_at=None, slot=1)
    assert kinds(NOW + 6 * MINUTE) == {Kind.BROADCAST_OVERDUE}
    Broadcast.objects.update(slot=None)
    assert kinds(NOW + 6 * MINUTE) == set()

    Broadcast.objects.update(state=BroadcastState.EXPANDING, **lease(MINUTE))
    assert kinds(NOW + 6 * MINUTE) == {Kind.BROADCAST_OVERHELD}


@pytest.mark.parametrize("scope", [PauseScope.EVERYTHING, PauseScope.BROADCAST])
def test_a_broadcast_that_a_pause_holds_is_not_stuck(broadcast, template, scope):
    make_event(template, broadcast=broadcast)
    make_delivery(broadcast_id=broadcast.pk)
    Broadcast.objects.update(state=BroadcastState.PENDING, finished_at=None, slot=1, event_count=3)
    key = str(broadcast.pk) if scope == PauseScope.BROADCAST else ""
    pauses.pause(scope, key, now=NOW)

    assert kinds(NOW + 6 * MINUTE) == set()


# --- Each loss is seen ----------------------------------------------------------------------------------------------


def lease(offset):
    return {"lease_token": uuid4(), "lease_until": NOW + offset}


def reopened(model, **changes):
    return lambda: model.objects.filter(pk=model.objects.first().pk).update(finished_at=None, **changes)


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        (lambda: first(Delivery.objects.filter(channel="sms")).delete(), {Kind.DELIVERIES}),
        (lambda: first(Delivery.objects.filter(channel="in_app")).delete(), {Kind.DELIVERIES}),
        (lambda: Delivery.objects.filter(state="suppressed").delete(), {Kind.DELIVERIES}),
        (lambda: Delivery.objects.filter(channel="email").update(state="lost"), {Kind.DELIVERIES}),
        (lambda: Event.objects.update(planned_count=5), {Kind.DELIVERIES}),
        (lambda: first(Notification.objects.all()).delete(), {Kind.NOTIFICATIONS}),
        (lambda: Event.objects.update(unknown_count=0), {Kind.NOTIFICATIONS}),
        (lambda: Event.objects.update(recipient_count=5), {Kind.NOTIFICATIONS}),
        (
            lambda: first(Notification.objects.all()).deliveries.all().delete(),
            {Kind.DELIVERIES, Kind.UNDELIVERED},
        ),
        (lambda: Event.objects.all().delete(), {Kind.EVENT_GONE}),
        (lambda: Event.objects.update(emptied_at=NOW), {Kind.EVENT_GONE}),
        (lambda: first(Attempt.objects.all()).delete(), {Kind.NO_SUCCESS, Kind.ATTEMPTS}),
        (lambda: Attempt.objects.update(outcome=Outcome.TRANSIENT), {Kind.NO_SUCCESS}),
        (lambda: Delivery.objects.filter(channel="email").update(attempts=2), {Kind.ATTEMPTS}),
        (reopened(Event, state=EventState.PENDING), {Kind.EVENT_OVERDUE}),
        (reopened(Delivery, state=DeliveryState.PENDING), {Kind.DELIVERY_OVERDUE}),
        (reopened(Event, state=EventState.DISPATCHING, **lease(MINUTE)), {Kind.EVENT_OVERHELD}),
        (reopened(Delivery, state=DeliveryState.SENDING, **lease(MINUTE)), {Kind.DELIVERY_OVERHELD}),
    ],
    ids=[
        "delivery deleted",
        "in-app delivery deleted",
        "suppressed delivery deleted",
        "delivery in no known state",
        "planned count altered",
        "notification deleted",
        "unknown count altered",
        "recipient count altered",
        "all deliveries of a notification deleted",
        "event deleted",
        "event emptied",
        "attempt deleted",
        "attempt altered",
        "attempts altered",
        "event forgotten",
        "delivery forgotten",
        "event held for ever",
        "delivery held for ever",
    ],
)  # fmt: skip
def test_each_loss_is_seen(story, damage, seen):
    damage()

    assert kinds(NOW + 6 * MINUTE) == seen


@pytest.mark.parametrize(
    "changes",
    [
        {"state": EventState.PENDING, "due_at": NOW - 4 * MINUTE},
        {"state": EventState.DISPATCHING, **lease(-MINUTE)},
    ],
    ids=["due for four minutes", "lease over for a minute"],
)
def test_what_the_clock_may_still_find_is_not_stuck(story, changes):
    Event.objects.update(finished_at=None, **changes)

    assert kinds() == set()


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (PauseScope.EVERYTHING, ""),
        (PauseScope.TEMPLATE, "ORDER_CREATED"),
        (PauseScope.CATEGORY, "orders"),
        (PauseScope.CHANNEL, "email"),
    ],
)
def test_what_a_pause_holds_is_not_stuck(story, scope, key):
    Delivery.objects.filter(channel="email").update(state=DeliveryState.PENDING, finished_at=None)
    assert kinds(NOW + 6 * MINUTE) == {Kind.DELIVERY_OVERDUE}

    pauses.pause(scope, key, now=NOW)

    assert kinds(NOW + 6 * MINUTE) == set()


def test_an_event_that_a_pause_holds_is_not_stuck(alice, template, traveller):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)
    assert kinds(NOW + 6 * MINUTE) == {Kind.EVENT_OVERDUE}

    pauses.pause(PauseScope.TEMPLATE, "ORDER_CREATED", now=NOW)

    assert kinds(NOW + 6 * MINUTE) == set()


def test_an_attempt_more_than_counted_is_left_by_a_lost_lease_and_no_breach(story):
    Attempt.objects.create(
        delivery=first(Delivery.objects.filter(channel="email")),
        number=1,
        started_at=NOW,
        duration=MINUTE,
        outcome=Outcome.SENT,
    )

    assert kinds() == set()


def test_an_erased_account_is_no_loss(story, alice):
    alice.delete()

    assert kinds() == set()


def test_a_loss_beside_an_erased_account_is_seen(story, alice, bob):
    alice.delete()
    Notification.objects.get(recipient=bob).delete()

    assert kinds() == {Kind.NOTIFICATIONS}


# --- What is looked at ----------------------------------------------------------------------------------------------


def test_retention_is_no_loss(story, traveller, settings):
    settings.NOTIFICATIONS = {
        **settings.NOTIFICATIONS,
        "RETENTION_INBOX_DAYS": 0.1,
        "RETENTION_DELIVERIES_DAYS": 0.1,
    }
    for hours in range(0, 60, 6):
        now = NOW + timedelta(hours=hours)
        pruner.run_once(now, 100)
        assert kinds(now) == set()

    assert not Delivery.objects.exists()


def test_what_retention_takes_while_the_audit_runs_is_not_missed(story):
    pruner.run_once(NOW + timedelta(days=1), 10)

    assert not Event.objects.exists()
    assert kinds(NOW + timedelta(days=1) - 30 * MINUTE) == set()


def test_an_emptied_event_is_not_asked_about(alice, template, fake_sms, traveller):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, idempotency_key="k")
    work()
    pruner.run_once(NOW + timedelta(days=1), 10)
    Delivery.objects.all().delete()

    assert Event.objects.get().emptied_at is not None
    assert kinds(NOW + timedelta(days=1)) == set()


def test_since_leaves_out_what_was_published_before_but_not_what_is_stuck(story, alice):
    first(Delivery.objects.filter(channel="sms")).delete()

    assert kinds(since=NOW - MINUTE) == {Kind.DELIVERIES}
    assert kinds(since=NOW + MINUTE) == set()
    reopened(Delivery, state=DeliveryState.PENDING)()
    assert kinds(NOW + 6 * MINUTE, since=NOW + MINUTE) == {Kind.DELIVERY_OVERDUE}


def test_it_tells_the_first_twenty_with_their_figures_and_counts_the_rest(alice, template, fake_sms, traveller):
    events = []
    for _ in range(23):
        traveller.shift(1)
        events.append(
            publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, channels=["email"]).id
        )
    work()
    Delivery.objects.all().delete()

    by_kind = {finding.kind: finding for finding in audit.audit(now=NOW + MINUTE).findings}

    found = by_kind[Kind.DELIVERIES]
    assert found.number == 23
    assert [breach.id for breach in found.first] == events[:20]
    assert found.first[0].detail == "planned 1, found 0"
    assert by_kind[Kind.UNDELIVERED].number == 23


def test_its_cost_in_queries_does_not_depend_on_the_number_of_events(alice, bob, template, fake_sms, traveller):
    def cost():
        pausing.forget()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert audit.audit(now=NOW).findings == ()
        return len(queries)

    costs = []
    for number in (1, 30):
        for _ in range(number):
            publish_batch_notification("ORDER_CREATED", recipients=[alice, bob], variables=VARIABLES)
        work()
        costs.append(cost())

    assert costs[0] == costs[1] == 19
