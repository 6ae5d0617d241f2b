"""The whole path with real processes: a business change here, a worker there, a mail server that answers."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest
import redis
from django.contrib.auth import get_user_model
from django.db import transaction

from notifications.models import Attempt, Delivery, Event, Notification
from notifications.publishing import publish_batch_notification, publish_notification
from notifications.types import DeliveryState, EventState, Outcome, Reason
from orders import services as orders
from orders.types import LineItem

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

SHIPPED = {"order_number": "ORD-1", "tracking_code": "TRACK-1"}


def place_order(customer):
    line = LineItem(sku="A-1", name="Espresso machine", unit_price=Decimal("499.00"), quantity=1)
    return orders.place_order(customer, lines=[line], currency="EUR")


def people(number):
    model = get_user_model()
    return model.objects.bulk_create(model(username=f"user{i}", email=f"user{i}@example.com") for i in range(number))


def messages_in_the_broker():
    client = redis.from_url(os.environ["REDIS_URL"])
    return [key for key in client.keys("dramatiq:*") if b"dramatiq:__" not in key]


def test_an_order_reaches_the_inbox_the_mailbox_and_the_phone(alice, outside, worker, eventually):
    worker()

    order = place_order(alice)
    orders.mark_paid(order)
    orders.ship_order(order, tracking_code="TRACK-1")

    eventually(lambda: len(outside.mailbox.messages) == 2 and outside.text_messages())
    eventually(lambda: not Delivery.objects.filter(state=DeliveryState.SENDING).exists())
    assert set(Notification.objects.values_list("template", flat=True)) == {"ORDER_CREATED", "ORDER_SHIPPED"}
    assert all(item.title and item.listed_at for item in Notification.objects.all())
    assert outside.mailbox.told() == ["alice@example.com", "alice@example.com"]
    confirmation = next(mail for mail in outside.mailbox.messages if "thank you" in mail["Subject"])
    assert "Espresso machine" in confirmation.get_body(["plain"]).get_content()
    assert order.number in confirmation.get_body(["html"]).get_content()
    (text,) = outside.text_messages()
    assert text["address"] == "+4915550001001"
    assert "TRACK-1" in text["rendered"]["body"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.SENT}


def test_a_rolled_back_order_leaves_no_event_no_wake_up_and_no_mail(alice, bob, outside, worker, eventually):
    with transaction.atomic():
        place_order(alice)
        transaction.set_rollback(True)

    assert not Event.objects.exists()
    assert messages_in_the_broker() == []

    # What is published after it is the first thing that arrives.
    worker()
    place_order(bob)
    eventually(lambda: outside.mailbox.messages)
    assert outside.mailbox.told() == ["bob@example.com"]
    assert set(Notification.objects.values_list("recipient", flat=True)) == {bob.pk}


def test_a_provider_that_fails_twice_is_tried_at_0_2_and_6_seconds(alice, outside, worker, eventually):
    outside.mailbox.answers["alice@example.com"].extend(["451 later", "451 later"])
    worker()

    publish_notification("ORDER_SHIPPED", recipient=alice, variables=SHIPPED, channels=["email"])

    eventually(lambda: Delivery.objects.filter(state=DeliveryState.SENT).exists())
    first, *others = [at for at, _, _ in outside.mailbox.tries]
    after = [at - first for at in others]
    assert len(after) == 2
    assert 2.0 <= after[0] <= 3.5
    assert 6.0 <= after[1] <= 7.5
    assert list(Attempt.objects.values_list("number", "outcome", "code")) == [
        (1, Outcome.TRANSIENT, "451"),
        (2, Outcome.TRANSIENT, "451"),
        (3, Outcome.SENT, ""),
    ]


def test_three_broken_addresses_of_120_fail_alone_and_everything_is_logged(outside, worker, eventually):
    users = people(120)
    broken = {users[7].email, users[60].email, users[119].email}
    for address in broken:
        outside.mailbox.answers[address].append("550 no such user")
    worker()

    batch = publish_batch_notification(
        "ORDER_SHIPPED", recipients=users, variables=SHIPPED, channels=["email", "in_app"]
    )

    emails = Delivery.objects.filter(channel="email")
    over = {DeliveryState.SENT, DeliveryState.FAILED}
    eventually(lambda: emails.filter(state__in=over).count() == 120)
    assert batch.broadcast_id is not None
    assert emails.filter(state=DeliveryState.SENT).count() == 117
    failed = emails.filter(state=DeliveryState.FAILED)
    assert set(failed.values_list("address", "reason")) == {(address, Reason.REJECTED) for address in broken}
    assert sorted(outside.mailbox.told()) == sorted({user.email for user in users} - broken)
    assert Attempt.objects.count() == 120
    assert Notification.objects.count() == 120
    assert Delivery.objects.filter(channel="in_app", state=DeliveryState.SENT).count() == 120


def test_an_urgent_event_overtakes_500_low_ones_that_were_there_before(alice, outside, worker, eventually):
    users = people(500)
    for user in users:
        publish_notification("ORDER_SHIPPED", recipient=user, variables=SHIPPED, channels=["email"], priority="low")
    publish_notification("ORDER_SHIPPED", recipient=alice, variables=SHIPPED, channels=["email"], priority="urgent")

    worker()
    eventually(lambda: len(outside.mailbox.messages) == 501, seconds=60)

    # It is in the first batch of the first drains.
    assert outside.mailbox.told().index("alice@example.com") < 50


def test_an_urgent_event_overtakes_those_that_are_being_worked_on(alice, outside, worker, eventually):
    worker()
    users = people(500)
    publish_batch_notification("ORDER_SHIPPED", recipients=users, variables=SHIPPED, channels=["email"], priority="low")
    eventually(lambda: len(outside.mailbox.messages) >= 20)

    publish_notification("ORDER_SHIPPED", recipient=alice, variables=SHIPPED, channels=["email"], priority="urgent")
    before = len(outside.mailbox.messages)
    eventually(lambda: len(outside.mailbox.messages) == 501, seconds=60)

    # Behind what the drains hold already (three batches of 50), before all the rest.
    assert outside.mailbox.told().index("alice@example.com") - before < 200


def test_a_worker_stopped_in_the_middle_of_a_batch_leaves_nothing_held_and_nothing_doubled(outside, worker, eventually):
    from tests.integration.processes import stop

    users = people(300)
    first = worker()
    publish_batch_notification("ORDER_SHIPPED", recipients=users, variables=SHIPPED, channels=["email"])
    eventually(lambda: len(outside.mailbox.messages) >= 30)

    assert stop(first) == 0

    held = Delivery.objects.filter(state=DeliveryState.SENDING).count()
    assert (held, Event.objects.filter(state=EventState.DISPATCHING).count()) == (0, 0)
    assert len(outside.mailbox.messages) < 300
    worker()
    eventually(lambda: Delivery.objects.filter(state=DeliveryState.SENT).count() == 300, seconds=60)
    assert sorted(outside.mailbox.told()) == sorted(user.email for user in users)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
