"""A card gateway that stays in the process and answers as real ones do in their test mode."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from decimal import Decimal

from django.views.decorators.debug import sensitive_variables

from payments.exceptions import InvalidCardNumber

#: Card numbers and the failure code each one gets; empty: the money is taken. As on docs.stripe.com/testing.
TEST_CARDS = {
    "4242424242424242": "",
    "4000000000000002": "card_declined",
    "4000000000009995": "insufficient_funds",
}

#: What every other card gets: somebody's real card must not seem to have paid.
REAL_CARD = "test_mode_live_card"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The gateway's answer. `failure_code` is empty when the money was taken."""

    reference: str
    failure_code: str = ""


class FakeGateway:
    """Decides by the card number alone; keeps nothing, moves no money."""

    @sensitive_variables()
    def charge(self, card_number: str, *, amount: Decimal, currency: str) -> Charge:
        """Take the amount from the card. A decline is an answer; `InvalidCardNumber` means nobody was asked."""
        failure_code = TEST_CARDS.get(clean_card_number(card_number), REAL_CARD)
        return Charge(reference=f"ch_test_{secrets.token_hex(12)}", failure_code=failure_code)


@sensitive_variables()
def clean_card_number(card_number: str) -> str:
    """Return the digits alone, or raise `InvalidCardNumber` (never with the number in its message)."""
    digits = card_number.replace(" ", "").replace("-", "")
    # ISO/IEC 7812-1: at most 19 digits; no issuer uses fewer than 12.
    if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19 and passes_luhn(digits)):
        raise InvalidCardNumber
    return digits


@sensitive_variables()
def passes_luhn(digits: str) -> bool:
    """Tell whether the last digit is the right check digit (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in digits[::-2])) % 10 == 0
