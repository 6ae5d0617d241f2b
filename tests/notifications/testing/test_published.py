"""What was published, read back from the rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from notifications import registry
from notifications.exceptions import UnknownTemplate
from notifications.publishing import Priority, publish_batch_notification, publish_notification
from notifications.testing import assert_published, captured_events, timeline
from tests.factories import make_template

pytestmark = pytest.mark.usefixtures("template")


def publish(recipient, number="ORD-1", **options):
    return publish_notification("ORDER_CREATED", recipient=recipient, variables={"order_number": number}, **options)


@pytest.fixture
def customers(monkeypatch, alice, bob):
    monkeypatch.setattr(registry, "_audiences", {})

    @registry.audience("customers")
    def customers():
        return type(alice).objects.all()


# --- captured_events


def test_what_is_published_inside_is_captured_with_all_that_was_said(alice):
    now = timezone.now()

    with time_machine.travel(now, tick=False), captured_events() as events:
        event = publish(
            alice,
            priority="high",
            delay=timedelta(hours=1),
            expires_in=timedelta(hours=2),
            about="orders.order:1",
            action_url="/orders/1/",
            action_text="Look",
            channels=["email"],
            digest_key="cart",
            idempotency_key="order-created:1",
        )

    (published,) = events
    assert published.id == event.id
    assert published.template == "ORDER_CREATED"
    assert published.recipients == (str(alice.pk),)
    assert published.audience == ""
    assert published.variables == {"order_number": "ORD-1"}
    assert published.priority is Priority.HIGH
    assert published.about == "orders.order:1"
    assert (published.action_url, published.action_text) == ("/orders/1/", "Look")
    assert published.channels == ("email",)
    assert (published.digest_key, published.idempotency_key) == ("cart", "order-created:1")
    assert published.due_at == now + timedelta(hours=1)
    assert published.expires_at == now + timedelta(hours=3)


def test_what_is_published_before_and_after_is_not_captured(alice):
    publish(alice, "before")
    with captured_events() as events:
        publish(alice, "inside")
    publish(alice, "after")

    assert [published.variables["order_number"] for published in events] == ["inside"]


def test_inside_the_block_it_can_be_looked_at_already(alice):
    with captured_events() as events:
        assert len(events) == 0
        publish(alice, "first")
        publish(alice, "second")

        assert [published.variables["order_number"] for published in events] == ["first", "second"]
        assert events[1].variables == {"order_number": "second"}
        assert [published.variables for published in events[:1]] == [{"order_number": "first"}]
        assert "'order_number': 'second'" in repr(events)


def test_what_is_rolled_back_was_never_said(alice):
    def place_order():
        with transaction.atomic():
            publish(alice)
            raise ZeroDivisionError

    with captured_events() as events, pytest.raises(ZeroDivisionError):
        place_order()

    assert list(events) == []


def test_the_error_of_a_broken_transaction_is_not_hidden_by_another(alice):
    def break_the_transaction():
        with transaction.atomic(), captured_events():
            publish(alice)
            transaction.set_rollback(True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_the_transaction()


def test_a_repetition_publishes_nothing(alice):
    publish(alice, idempotency_key="k")

    with captured_events() as events:
        publish(alice, idempotency_key="k")

    assert list(events) == []


@pytest.mark.parametrize("key", [None, "once"])
def test_a_list_for_many_events_is_one_publication(django_user_model, key):
    users = django_user_model.objects.bulk_create(django_user_model(username=f"user{n}") for n in range(120))

    with captured_events() as events:
        publish_batch_notification(
            "ORDER_CREATED", recipients=users, variables={"order_number": "1"}, idempotency_key=key
        )

    (published,) = events
    assert sorted(published.recipients) == sorted(str(user.pk) for user in users)
    assert published.variables == {"order_number": "1"}
    assert published.idempotency_key == key


@pytest.mark.usefixtures("customers")
@pytest.mark.parametrize("key", [None, "once"])
def test_an_audience_is_one_publication_before_and_after_it_is_told(alice, bob, key):
    with timeline("2026-03-01 12:00") as t, captured_events() as events:
        publish_batch_notification(
            "ORDER_CREATED", audience="customers", variables={"order_number": "1"}, idempotency_key=key
        )
        before = list(events)
        t.run()
        after = list(events)

    for (published,) in (before, after):
        assert published.audience == "customers"
        assert published.variables == {"order_number": "1"}
        assert published.idempotency_key == key
    assert before[0].recipients == ()
    assert set(after[0].recipients) == {str(alice.pk), str(bob.pk)}


def test_the_fixture_captures_what_the_test_publishes(alice, published_events):
    publish(alice)

    assert [published.template for published in published_events] == ["ORDER_CREATED"]


# --- assert_published


def test_what_was_published_is_returned(alice, bob):
    publish(alice, "1", about="orders.order:1")
    publish(bob, "2")

    (to_alice,) = assert_published("ORDER_CREATED", recipient=alice)
    assert to_alice.variables == {"order_number": "1"}
    (to_bob,) = assert_published("ORDER_CREATED", recipient=bob.pk, variables={"order_number": "2"})
    assert to_bob.recipients == (str(bob.pk),)
    (about,) = assert_published("ORDER_CREATED", about="orders.order:1")
    assert about == to_alice
    assert assert_published("ORDER_CREATED", times=2) == [to_alice, to_bob]


def test_about_may_be_the_object_itself(alice, bob):
    publish(alice, about=bob)

    assert_published("ORDER_CREATED", about=bob)
    assert_published("ORDER_CREATED", about=alice, times=0)


def test_some_of_the_variables_are_enough_lists_among_them(alice):
    make_template("LISTED", variables={"lines": {"sample": []}, "total": {"sample": "1"}})
    publish_notification("LISTED", recipient=alice, variables={"lines": [{"sku": "a"}], "total": "9"})

    assert_published("LISTED", variables={"lines": [{"sku": "a"}]})
    assert_published("LISTED", variables={"lines": []}, times=0)


@pytest.mark.usefixtures("customers")
def test_an_audience_can_be_asked_for():
    publish_batch_notification("ORDER_CREATED", audience="customers", variables={"order_number": "1"})

    assert_published("ORDER_CREATED", audience="customers")
    assert_published("ORDER_CREATED", audience="staff", times=0)


def test_what_was_captured_can_be_asked_instead_of_everything(alice):
    publish(alice, "before")
    with captured_events() as events:
        publish(alice, "inside")

    assert_published("ORDER_CREATED", among=events)
    assert_published("ORDER_CREATED", variables={"order_number": "before"}, times=0, among=events)


def test_the_failure_shows_what_was_published(alice, bob):
    publish(alice, "1", about="orders.order:1")
    publish_batch_notification("ORDER_CREATED", recipients=[alice, bob, 999], variables={"order_number": "2"})
    make_template("ORDER_SHIPPED")

    with pytest.raises(AssertionError) as failure:
        assert_published("ORDER_SHIPPED", recipient=alice, about="orders.order:1", variables={"order_number": "1"})

    assert str(failure.value) == (
        "Published 0 times, not 1: ORDER_SHIPPED to alice about orders.order:1 with {'order_number': '1'}\n"
        "Published was:\n"
        "  ORDER_CREATED to alice about orders.order:1 with {'order_number': '1'}\n"
        "  ORDER_CREATED to alice, bob, user 999 with {'order_number': '2'}"
    )


@pytest.mark.usefixtures("customers")
def test_the_failure_names_an_audience_and_not_everybody_of_many(django_user_model):
    users = django_user_model.objects.bulk_create(django_user_model(username=f"user{n}") for n in range(60))
    publish_batch_notification("ORDER_CREATED", audience="customers", variables={"order_number": "1"})
    publish_batch_notification("ORDER_CREATED", recipients=users, variables={"order_number": "1"})

    with pytest.raises(AssertionError) as failure:
        assert_published("ORDER_CREATED", times=0)

    assert "to the audience 'customers' with" in str(failure.value)
    assert "to user0, user1, user2, user3, user4, 55 more with" in str(failure.value)


def test_too_many_is_a_failure_too(alice):
    publish(alice)
    publish(alice)

    with pytest.raises(AssertionError, match="Published 2 times, not 1: ORDER_CREATED to alice"):
        assert_published("ORDER_CREATED", recipient=alice)


def test_the_failure_says_that_nothing_was_published():
    with pytest.raises(AssertionError, match=r"Published 0 times, not 1: ORDER_CREATED\nNothing was published\."):
        assert_published("ORDER_CREATED")


@pytest.mark.parametrize("times", [0, 1])
def test_a_template_that_is_not_there_is_an_error_which_names_the_one_meant(times):
    with pytest.raises(UnknownTemplate, match="No template 'ORDER_CRATED' \\(did you mean 'ORDER_CREATED'\\?\\)"):
        assert_published("ORDER_CRATED", times=times)
