"""One box: whatever staff have at hand, by its exact value."""

from __future__ import annotations

import pytest

from notifications.models import Delivery, Event, Notification
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import find
from notifications.services.find import Kind
from notifications.types import Priority
from tests.factories import make_broadcast
from tests.notifications.pipeline.test_claiming import make_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(alice, template):
    """An order, told to Alice by e-mail."""
    publish_notification(
        "ORDER_CREATED",
        recipient=alice,
        variables={"order_number": "1"},
        about="orders.order:42",
        idempotency_key="k-1",
    )
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    deliver_batch("email", more=lambda: None)


def kinds(term):
    return [hit.kind for hit in find.find(term)]


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("alice", [Kind.PERSON]),
        ("  ALICE@example.com ", [Kind.PERSON]),
        ("+4915550001001", [Kind.PERSON]),
        ("orders.order:42", [Kind.EVENT, Kind.NOTIFICATION]),
        ("k-1", [Kind.EVENT]),
        ("legacy@example.com", [Kind.ADDRESS]),
        ("ali", []),
        ("", []),
        ("%", []),
        ("a\x00b", []),
        ("9" * 300, []),
    ],
)
def test_a_term_finds_what_goes_by_it(told, term, found):
    make_delivery(address="legacy@example.com")

    assert kinds(term) == found


def test_an_id_finds_whatever_has_it(told, alice, template):
    delivery = Delivery.objects.get(channel="email")
    broadcast = make_broadcast(template)
    notification, event = Notification.objects.get(), Event.objects.get()

    assert kinds(str(delivery.pk)) == [Kind.DELIVERY]
    assert kinds(delivery.provider_message_id) == [Kind.DELIVERY]
    assert kinds(str(notification.pk)) == [Kind.NOTIFICATION]
    assert kinds(str(broadcast.pk)) == [Kind.BROADCAST]
    assert [hit.row for hit in find.find(str(event.pk).upper())] == [event, notification]
    assert [hit.row for hit in find.find(str(alice.pk))] == [alice]


def test_what_goes_by_it_in_two_ways_is_shown_once(django_user_model):
    user = django_user_model.objects.create_user("same@example.com", email="same@example.com")

    assert [hit.row for hit in find.find("same@example.com")] == [user]


def test_of_many_only_the_newest_are_shown(told, alice, monkeypatch):
    monkeypatch.setattr(find, "SHOWN", 1)
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "2"}, about="orders.order:42")

    (event,) = [hit.row for hit in find.find("orders.order:42") if hit.kind is Kind.EVENT]

    assert event == Event.objects.order_by("-pk")[0]
