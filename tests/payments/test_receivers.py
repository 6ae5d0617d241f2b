"""What is published about payments, and to whom."""

from __future__ import annotations

from decimal import Decimal

import pytest

from notifications.models import Event
from notifications.publishing import Priority
from payments.services import pay
from payments.signals import payment_failed

pytestmark = pytest.mark.usefixtures("shipped_templates")

GOOD = "4242424242424242"
WITHOUT_FUNDS = "4000000000009995"


@pytest.fixture
def alice_pays(alice):
    """Return a function that pays for an order of Alice's with a card."""

    def alice_pays(card_number, order_number="ORD-10042"):
        return pay(alice, order_number=order_number, amount=Decimal("1499.00"), currency="EUR", card_number=card_number)

    return alice_pays


def test_a_captured_payment_is_confirmed_to_the_payer(alice, alice_pays):
    payment = alice_pays(GOOD)

    event = Event.objects.get()
    assert event.template_id == "PAYMENT_CAPTURED"
    assert event.recipients == [str(alice.pk)]
    assert event.variables == {
        "order_number": "ORD-10042",
        "amount": "1499.00",
        "currency": "EUR",
        "card_last_four": "4242",
    }
    assert event.priority == Priority.NORMAL
    assert event.about == f"payments.payment:{payment.pk}"
    assert (event.action_url, event.action_text) == ("/orders/ORD-10042/", "View order")
    assert event.idempotency_key == f"payment-captured:{payment.pk}"


def test_a_failed_payment_is_told_to_the_payer_with_high_priority(alice, alice_pays):
    payment = alice_pays(WITHOUT_FUNDS)

    event = Event.objects.get()
    assert event.template_id == "PAYMENT_FAILED"
    assert event.recipients == [str(alice.pk)]
    assert event.variables == {
        "order_number": "ORD-10042",
        "amount": "1499.00",
        "currency": "EUR",
        "card_last_four": "9995",
        "failure_code": "insufficient_funds",
    }
    assert event.priority == Priority.HIGH
    assert event.about == f"payments.payment:{payment.pk}"
    assert (event.action_url, event.action_text) == ("/orders/ORD-10042/", "Try again")
    assert event.idempotency_key == f"payment-failed:{payment.pk}"


def test_each_try_is_told(alice_pays):
    alice_pays(WITHOUT_FUNDS)
    alice_pays(WITHOUT_FUNDS)
    alice_pays(GOOD)

    told = Event.objects.order_by("pk").values_list("template_id", flat=True)
    assert list(told) == ["PAYMENT_FAILED", "PAYMENT_FAILED", "PAYMENT_CAPTURED"]


def test_once_it_is_paid_nobody_is_asked_to_try_again(alice_pays):
    first, other = alice_pays(WITHOUT_FUNDS), alice_pays(WITHOUT_FUNDS, order_number="ORD-2")

    alice_pays(GOOD)

    states = dict(Event.objects.filter(template="PAYMENT_FAILED").values_list("about", "state"))
    assert states == {f"payments.payment:{first.pk}": "cancelled", f"payments.payment:{other.pk}": "pending"}


def test_a_strange_order_number_does_not_undo_a_charge(alice_pays):
    alice_pays(GOOD, order_number="Order 7/2?")

    assert Event.objects.get().action_url == "/orders/Order%207%2F2%3F/"


def test_an_outcome_that_is_undone_is_not_told(alice_pays, connect):
    def refuse(sender, **kwargs):
        assert Event.objects.exists()
        raise RuntimeError

    connect(payment_failed, refuse)

    with pytest.raises(RuntimeError):
        alice_pays(WITHOUT_FUNDS)

    assert not Event.objects.exists()
