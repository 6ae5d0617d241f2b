"""Paying: what is stored, what is sent, what is never kept."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import DatabaseError
from django.forms.models import model_to_dict

from payments.exceptions import InvalidCardNumber, WrongAmount
from payments.models import Payment
from payments.services import pay
from payments.signals import payment_captured, payment_failed

pytestmark = pytest.mark.usefixtures("shipped_templates")

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GOOD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
WITHOUT_FUNDS = "4000 0000 0000 9995"


@pytest.fixture
def alice_pays(alice):
    """Return a function that pays for Alice's order with a card."""

    def alice_pays(card_number, amount="1499.00"):
        return pay(alice, order_number="ORD-10042", amount=Decimal(amount), currency="EUR", card_number=card_number)

    return alice_pays


def refuse(sender, **kwargs):
    raise RuntimeError


@time_machine.travel(NOON, tick=False)
def test_a_good_card_is_captured(alice, alice_pays):
    payment = alice_pays(GOOD)

    stored = Payment.objects.get()
    assert stored == payment
    assert (stored.state, stored.captured_at, stored.failed_at) == ("captured", NOON, None)
    assert (stored.payer, stored.order_number, stored.amount) == (alice, "ORD-10042", Decimal("1499.00"))
    assert stored.gateway_reference
    assert str(stored) == "ORD-10042: 1499.00 EUR"


@pytest.mark.parametrize(
    ("card_number", "failure_code"),
    [(DECLINED, "card_declined"), (WITHOUT_FUNDS, "insufficient_funds")],
    ids=["declined", "funds"],
)
@time_machine.travel(NOON, tick=False)
def test_a_decline_is_a_stored_payment_not_an_error(alice_pays, card_number, failure_code):
    alice_pays(card_number)

    stored = Payment.objects.get()
    assert (stored.state, stored.failure_code) == ("failed", failure_code)
    assert (stored.captured_at, stored.failed_at) == (None, NOON)


@pytest.mark.parametrize("card_number", [GOOD, DECLINED], ids=["captured", "failed"])
def test_only_the_last_four_digits_are_kept(alice_pays, card_number):
    alice_pays(card_number)

    stored = model_to_dict(Payment.objects.get())
    assert stored["card_last_four"] == card_number[-4:]
    assert card_number.replace(" ", "")[:12] not in str(stored)


def test_an_invalid_card_number_stores_nothing(alice_pays):
    with pytest.raises(InvalidCardNumber):
        alice_pays("4242 4242 4242 4241")

    assert not Payment.objects.exists()


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_an_amount_of_nothing_is_refused(alice_pays, amount):
    with pytest.raises(WrongAmount, match=amount):
        alice_pays(GOOD, amount=amount)

    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("card_number", "sent", "silent"),
    [(GOOD, payment_captured, payment_failed), (DECLINED, payment_failed, payment_captured)],
    ids=["captured", "failed"],
)
def test_the_outcome_is_sent_once(alice_pays, hear, card_number, sent, silent):
    heard, unheard = hear(sent, "payment"), hear(silent, "payment")

    payment = alice_pays(card_number)

    assert heard == [payment]
    assert unheard == []


@pytest.mark.parametrize(
    ("card_number", "signal"), [(GOOD, payment_captured), (DECLINED, payment_failed)], ids=["captured", "failed"]
)
def test_a_receiver_that_raises_undoes_the_outcome_but_not_that_the_gateway_was_asked(
    alice_pays, connect, card_number, signal
):
    connect(signal, refuse)

    with pytest.raises(RuntimeError):
        alice_pays(card_number)

    stored = Payment.objects.get()
    assert (stored.state, stored.gateway_reference) == ("authorising", "")


def test_trying_again_is_a_new_payment(alice_pays):
    alice_pays(DECLINED)
    alice_pays(GOOD)

    assert list(Payment.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "captured"]


@pytest.mark.parametrize(
    "values",
    [
        {"amount": 0},
        {"currency": "euro"},
        {"card_last_four": "42"},
        {"captured_at": None},
        {"failure_code": "card_declined"},
        {"state": "failed"},
        {"state": "refunded"},
    ],
    ids=["amount", "currency", "card", "captured-when", "captured-and-declined", "failed-why", "unknown-state"],
)
def test_the_database_refuses_a_payment_that_contradicts_itself(alice_pays, values):
    alice_pays(GOOD)

    with pytest.raises(DatabaseError, match=r"constraint|too long"):
        Payment.objects.update(**values)


def test_one_answer_of_the_gateway_settles_one_payment(alice_pays):
    first, second = alice_pays(GOOD), alice_pays(GOOD)

    with pytest.raises(DatabaseError, match=r"constraint|unique"):
        Payment.objects.filter(pk=second.pk).update(gateway_reference=first.gateway_reference)
