"""What is particular about the wording of payments."""

from __future__ import annotations

import pytest

from tests.wordings import of_app, wording


def test_the_codes_are_those_the_receivers_publish():
    assert of_app("payments") == {"PAYMENT_CAPTURED", "PAYMENT_FAILED"}


@pytest.mark.parametrize("channel", ["in_app", "email"])
@pytest.mark.parametrize(
    ("locale", "failure_code", "words"),
    [
        ("", "insufficient_funds", "was not sufficient"),
        ("", "card_declined", "declined"),
        ("de", "insufficient_funds", "nicht ausreichend gedeckt"),
        ("de", "card_declined", "abgelehnt"),
    ],
)
def test_a_failed_payment_says_what_the_bank_said(channel, locale, failure_code, words):
    assert words in wording("PAYMENT_FAILED", channel, locale, failure_code=failure_code).body


@pytest.mark.parametrize("locale", ["", "de"], ids=["en", "de"])
def test_a_text_message_does_not_show_the_reason_on_a_locked_screen(locale):
    funds = wording("PAYMENT_FAILED", "sms", locale, failure_code="insufficient_funds")

    assert funds == wording("PAYMENT_FAILED", "sms", locale, failure_code="card_declined")
