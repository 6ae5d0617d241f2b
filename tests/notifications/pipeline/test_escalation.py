"""By e-mail only if it is not read in the app; settled by business code; and not sent when it is no longer true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured

from notifications import exceptions, registry
from notifications.models import Delivery, Event, Notification, RecipientSettings, Template
from notifications.pipeline import claiming
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import (
    publish_batch_notification,
    publish_notification,
    reschedule_event,
    resolve,
    still_valid,
)
from notifications.services import inbox
from notifications.types import DeliveryState, EventState, Priority, Reason
from tests.factories import make_template
from tests.threads import at_once

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
VARIABLES = {"order_number": "ORD-1"}


@pytest.fixture
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def escalating(template, traveller):
    """By e-mail after half an hour."""
    Template.objects.update(escalation={"email": 1800})
    return template


def publish(recipient, template="ORDER_CREATED", **options):
    options = {"channels": ["in_app", "email"], **options}
    return publish_notification(template, recipient=recipient, variables=VARIABLES, **options).id


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def deliver():
    while deliver_batch("email", more=lambda: None):
        pass


def mail():
    return Delivery.objects.get(channel="email")


def read(person):
    return inbox.mark(inbox.of(person), "read", now=datetime.now(UTC))


# --- Escalation -----------------------------------------------------------------------------------------------------


def test_what_is_not_read_in_half_an_hour_is_mailed(alice, escalating, traveller, mailoutbox):
    publish(alice)
    dispatch()
    assert (mail().state, mail().due_at, mail().reason) == (
        DeliveryState.PENDING,
        NOW + 30 * MINUTE,
        Reason.ESCALATION,
    )
    deliver()
    assert mailoutbox == []

    traveller.shift(30 * MINUTE)
    deliver()

    assert (mail().state, mail().reason, len(mailoutbox)) == (DeliveryState.SENT, "", 1)


def test_reading_it_in_time_cancels_the_mail(alice, bob, escalating, traveller, mailoutbox):
    for person in (alice, bob):
        publish(person)
    dispatch()
    traveller.shift(29 * MINUTE)

    read(alice)
    traveller.shift(MINUTE)
    deliver()

    row = Delivery.objects.get(channel="email", recipient=alice)
    assert (row.state, row.reason, row.finished_at) == (DeliveryState.CANCELLED, Reason.READ, NOW + 29 * MINUTE)
    assert [message.to for message in mailoutbox] == [["bob@example.com"]]


def test_seeing_it_is_not_reading_it(alice, escalating):
    publish(alice)
    dispatch()

    inbox.mark(inbox.of(alice), "seen", now=NOW)

    assert mail().state == DeliveryState.PENDING


def test_what_is_not_in_the_inbox_is_mailed_at_once(alice, escalating):
    publish(alice, channels=["email"])
    dispatch()

    assert (mail().due_at, mail().reason) == (NOW, "")


def test_what_was_read_while_it_was_claimed_is_not_mailed(alice, escalating, traveller, mailoutbox):
    publish(alice)
    dispatch()
    traveller.shift(30 * MINUTE)
    # As if it was marked between the claim and now.
    Notification.objects.update(seen_at=NOW, read_at=NOW)

    deliver()

    assert (mail().state, mail().reason, mailoutbox) == (DeliveryState.CANCELLED, Reason.READ, [])


def test_what_escalates_in_the_night_waits_for_the_morning_and_can_still_be_read(alice, escalating, traveller):
    RecipientSettings.objects.update(quiet_hours={"daily": ["12:15-13:00"]}, time_zone="UTC")
    publish(alice)
    dispatch()
    traveller.shift(30 * MINUTE)
    deliver()
    assert (mail().due_at, mail().reason) == (NOW + 60 * MINUTE, Reason.ESCALATION)

    read(alice)

    assert mail().state == DeliveryState.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_reading_and_claiming_at_once_have_one_winner(alice, template):
    Template.objects.update(escalation={"email": 1})
    rounds = 200
    for _ in range(rounds):
        publish(alice)
    dispatch()
    Delivery.objects.filter(channel="email").update(due_at=NOW)
    claimed: list = []

    def claim():
        options: Any = {"priorities": list(Priority), "lease": timedelta(seconds=60), "limit": 1, "channel": "email"}
        while rows := claiming.claim(Delivery, now=datetime.now(UTC), **options).rows:
            claimed.extend(row.pk for row in rows)

    def read_one_by_one():
        for item in list(inbox.of(alice)):
            inbox.mark(inbox.by_ids(alice, [item.pk]), "read", now=datetime.now(UTC))

    at_once(claim, read_one_by_one)

    cancelled = set(Delivery.objects.filter(state=DeliveryState.CANCELLED).values_list("pk", flat=True))
    assert cancelled.isdisjoint(claimed)
    assert len(cancelled) + len(claimed) == rounds


# --- Settled --------------------------------------------------------------------------------------------------------


def test_what_is_settled_is_archived_for_everybody_and_nothing_more_of_it_is_sent(alice, bob, template, mailoutbox):
    make_template("ORDER_SHIPPED")
    about = "orders.order:42"
    told: Any = {"variables": VARIABLES, "about": about}
    publish_batch_notification("ORDER_CREATED", recipients=[alice, bob], **told)
    publish(alice, "ORDER_SHIPPED", about=about)
    publish(alice, about="orders.order:43")
    dispatch()
    waiting = publish(bob, about=about, delay=timedelta(days=1))

    assert resolve(about, "ORDER_CREATED") == 3

    deliver()
    assert {message.to[0] for message in mailoutbox} == {"alice@example.com"}
    assert len(mailoutbox) == 2
    archived = Notification.objects.filter(archived_at__isnull=False)
    assert {(row.template_id, row.about) for row in archived} == {("ORDER_CREATED", about)}
    assert all(row.read_at and row.seen_at for row in archived)
    assert Delivery.objects.filter(reason=Reason.RESOLVED, state=DeliveryState.CANCELLED).count() == 3
    assert Event.objects.get(pk=waiting).state == EventState.CANCELLED
    assert not reschedule_event(waiting, delay=timedelta(0))
    assert resolve(about, "ORDER_CREATED") == 0


def test_everything_about_an_object_can_be_settled_at_once(alice, template):
    publish(alice, about=template.category)
    dispatch()

    assert resolve(template.category) == 1


def test_only_what_there_is_can_be_settled(template):
    with pytest.raises(exceptions.UnknownTemplate, match="did you mean 'ORDER_CREATED'"):
        resolve("orders.order:42", "ORDER_CRATED")
    with pytest.raises(exceptions.NotPlainData, match="`about` is empty"):
        resolve("")


# --- No longer true -------------------------------------------------------------------------------------------------


@pytest.fixture
def guard(template, traveller, monkeypatch):
    """Return a list whose first item is the answer of the guard of ORDER_CREATED, and what it was asked."""
    monkeypatch.setattr(registry, "_guards", {})
    answers: list = [True]
    asked: list = []

    @still_valid("order-is-open")
    def order_is_open(said):
        asked.append(said)
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    Template.objects.update(still_valid="order-is-open")
    return answers, asked


def test_what_is_still_true_is_sent_and_the_guard_knows_what_was_said(alice, guard, mailoutbox):
    publish(alice, about="orders.order:42")
    dispatch()
    deliver()

    (said, again) = guard[1]
    assert said == again
    assert (said.template, said.about, said.variables) == ("ORDER_CREATED", "orders.order:42", VARIABLES)
    assert len(mailoutbox) == 1


def test_what_is_no_longer_true_when_it_is_due_is_not_even_in_the_inbox(alice, guard, mailoutbox):
    publish(alice, delay=MINUTE)
    guard[0][0] = False

    with time_machine.travel(NOW + MINUTE, tick=False):
        dispatch()

    rows = Delivery.objects.values_list("state", "reason")
    assert set(rows) == {(DeliveryState.SUPPRESSED, Reason.NO_LONGER_VALID)}
    assert not inbox.of(alice).exists()


def test_what_is_no_longer_true_when_it_is_claimed_is_not_sent(alice, bob, guard, mailoutbox):
    publish_batch_notification("ORDER_CREATED", recipients=[alice, bob], variables=VARIABLES, channels=["email"])
    dispatch()
    guard[0][0] = False
    guard[1].clear()

    deliver()

    rows = Delivery.objects.values_list("state", "reason")
    assert set(rows) == {(DeliveryState.SUPPRESSED, Reason.NO_LONGER_VALID)}
    assert (len(guard[1]), mailoutbox) == (1, [])


def test_a_guard_that_raises_fails_what_it_was_asked_about(alice, guard, mailoutbox):
    publish(alice, channels=["email"])
    dispatch()
    guard[0][0] = ZeroDivisionError("x")
    deliver()
    assert (mail().state, mail().reason, mail().last_error) == (
        DeliveryState.FAILED,
        Reason.GUARD_ERROR,
        "ZeroDivisionError: x",
    )

    event = publish(alice)
    dispatch()
    assert Event.objects.get(pk=event).state == EventState.FAILED


def test_a_guard_that_is_not_registered_fails_the_event_by_name(alice, guard, monkeypatch):
    Template.objects.update(still_valid="order-is-opne")

    event = publish(alice)
    dispatch()

    assert "No guard 'order-is-opne' is registered (did you mean 'order-is-open'?)" in (
        Event.objects.get(pk=event).last_error
    )


def test_a_guard_needs_a_name_of_its_own(guard):
    with pytest.raises(ImproperlyConfigured, match="'order-is-open' is"):
        still_valid("order-is-open")(bool)
    with pytest.raises(ImproperlyConfigured, match="needs a name"):
        still_valid("Order is open")
    assert registry.guard_names() == ("order-is-open",)
