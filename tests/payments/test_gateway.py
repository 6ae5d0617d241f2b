"""The card gateway's test mode, by tables."""

from __future__ import annotations

from decimal import Decimal

import pytest

from payments.exceptions import InvalidCardNumber
from payments.gateway import Charge, FakeGateway, clean_card_number


def charge(card_number: str) -> Charge:
    return FakeGateway().charge(card_number, amount=Decimal("10.00"), currency="EUR")


@pytest.mark.parametrize(
    ("card_number", "failure_code"),
    [
        ("4242424242424242", ""),
        ("4242 4242 4242 4242", ""),
        ("4242-4242-4242-4242", ""),
        ("4000000000000002", "card_declined"),
        ("4000000000009995", "insufficient_funds"),
        ("5555555555554444", "test_mode_live_card"),
    ],
    ids=["good", "spaces", "hyphens", "declined", "funds", "any-other-card"],
)
def test_the_card_number_decides(card_number, failure_code):
    assert charge(card_number).failure_code == failure_code


def test_every_answer_has_a_reference_of_its_own():
    answers = [charge("4242424242424242"), charge("4242424242424242"), charge("4000000000000002")]

    assert len({answer.reference for answer in answers}) == 3


@pytest.mark.parametrize(
    "card_number",
    [
        "4242424242424241",
        "4224242424242424",
        "",
        "00000000000",
        "00000000000000000000",
        "4242x4242y4242z4242",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
    ],
    ids=["check-digit", "swapped-digits", "empty", "too-short", "too-long", "letters", "other-digits"],
)
def test_an_invalid_card_number_is_refused_without_repeating_it(card_number):
    with pytest.raises(InvalidCardNumber) as refusal:
        charge(card_number)

    assert str(refusal.value) == "This is not a card number; check it for typing errors."


@pytest.mark.parametrize(
    "card_number",
    ["378282246310005", "30569309025904", "6011111111111117", "4000000000000000006"],
    ids=["15-digits", "14-digits", "16-digits", "19-digits"],
)
def test_card_numbers_of_every_length_pass_the_check(card_number):
    assert clean_card_number(card_number) == card_number
