"""So many a day: counted once each, by the recipient's own days, whoever dispatches at the same time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from notifications import clock
from notifications.models import Category, Delivery, Event, FrequencyCount, RecipientSettings
from notifications.pipeline import bulk, capping, planning
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_batch_notification, publish_notification
from notifications.types import Priority, Reason
from tests.factories import make_template
from tests.threads import at_once

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VARIABLES = {"order_number": "ORD-1"}


@pytest.fixture
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def capped(template, traveller):
    """Two a day of the category of the template."""
    Category.objects.update(daily_cap=2)
    return template


def publish(recipient, number=1, template="ORDER_CREATED", **options):
    for _ in range(number):
        publish_notification(template, recipient=recipient, variables=VARIABLES, **options)


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def verdicts(channel="email", **filters):
    rows = Delivery.objects.filter(channel=channel, **filters)
    return Counter(row.reason or row.state for row in rows)


def test_two_are_sent_and_the_third_is_in_the_inbox_only(alice, capped):
    publish(alice, 3)

    dispatch()

    for channel in ("email", "sms"):
        assert verdicts(channel) == {"pending": 2, Reason.FREQUENCY_CAP: 1}
    assert verdicts("in_app") == {"sent": 3}
    over = Delivery.objects.filter(reason=Reason.FREQUENCY_CAP)
    assert {(row.state, row.finished_at) for row in over} == {("suppressed", NOW)}


def test_the_cap_holds_from_batch_to_batch_and_for_each_on_their_own(alice, bob, capped):
    for _ in range(4):
        publish(alice)
        dispatch()
    publish(bob)
    dispatch()

    assert verdicts(recipient=alice) == {"pending": 2, Reason.FREQUENCY_CAP: 2}
    assert verdicts(recipient=bob) == {"pending": 1}


def test_every_template_of_the_category_counts_and_no_other(alice, capped):
    make_template("ORDER_SHIPPED")
    make_template("PAYMENT_FAILED", category="payments")
    publish(alice, 2)
    publish(alice, 1, "ORDER_SHIPPED")
    publish(alice, 3, "PAYMENT_FAILED")

    dispatch()

    assert verdicts(category="orders") == {"pending": 2, Reason.FREQUENCY_CAP: 1}
    assert verdicts(category="payments") == {"pending": 3}
    assert not FrequencyCount.objects.filter(category="payments").exists()


def test_what_is_required_is_neither_held_back_nor_counted(alice, capped):
    Category.objects.update(required=True)
    publish(alice, 3)

    dispatch()

    assert verdicts() == {"pending": 3}
    assert not FrequencyCount.objects.exists()


def test_what_would_not_leave_the_inbox_is_not_counted(alice, capped):
    publish(alice, 2, channels=["in_app"])
    publish(alice, 2)

    dispatch()

    assert verdicts() == {"pending": 2}


def test_a_new_day_begins_at_midnight_where_the_recipient_is(alice, capped, traveller):
    RecipientSettings.objects.update(time_zone="Pacific/Auckland")
    # 23:30 on the second of March there.
    traveller.move_to(datetime(2026, 3, 2, 10, 30, tzinfo=UTC))
    publish(alice, 3)
    dispatch()
    assert list(FrequencyCount.objects.values_list("day", "number")) == [(date(2026, 3, 2), 3)]

    traveller.shift(timedelta(minutes=30))
    publish(alice, 1)
    dispatch()

    assert verdicts() == {"pending": 3, Reason.FREQUENCY_CAP: 1}


def test_what_is_rolled_back_is_not_counted(alice, capped, monkeypatch):
    publish(alice, 1)

    def refuse(rows):
        if rows and isinstance(rows[0], Delivery):
            raise ZeroDivisionError

    monkeypatch.setattr(bulk, "insert", refuse)
    dispatch()

    assert not FrequencyCount.objects.exists()


def test_the_cap_is_foreseen_without_counting(alice, bob, capped, traveller):
    def foreseen(*recipients):
        events = [Event(template=capped, recipients=[str(person.pk)], variables=VARIABLES) for person in recipients]
        batch = planning.plan_events(events, now=clock.now())
        capping.foresee(batch, now=clock.now())
        return [
            row.reason
            for planned in batch
            for told in planned.told
            for row in told.deliveries
            if row.channel == "email"
        ]

    cap = Reason.FREQUENCY_CAP
    assert foreseen(alice, alice, alice, bob) == ["", "", cap, ""]
    publish(alice, 1)
    dispatch()

    assert foreseen(alice, alice, bob) == ["", cap, ""]
    assert foreseen(alice, alice, bob) == ["", cap, ""]
    traveller.shift(timedelta(days=1))
    assert foreseen(alice, alice) == ["", ""]
    Category.objects.update(daily_cap=None)
    traveller.shift(timedelta(days=-1))
    assert foreseen(alice, alice) == ["", ""]
    assert FrequencyCount.objects.get().number == 1


@pytest.mark.django_db(transaction=True)
def test_drains_at_once_let_exactly_so_many_pass(alice, bob, charlie, template):
    Category.objects.update(daily_cap=5)
    people = [alice, bob, charlie]
    for _ in range(12):
        publish_batch_notification("ORDER_CREATED", recipients=people, variables=VARIABLES, channels=["email"])

    at_once(*[dispatch] * 4)

    for person in people:
        assert verdicts(recipient=person) == {"pending": 5, Reason.FREQUENCY_CAP: 7}
