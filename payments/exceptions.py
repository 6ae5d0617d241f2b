"""What can be wrong with a payment before the gateway is asked. The docstring is the default message."""

from __future__ import annotations


class PaymentError(Exception):
    """The payment cannot be made."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class InvalidCardNumber(PaymentError, ValueError):
    """This is not a card number; check it for typing errors."""


class WrongAmount(PaymentError, ValueError):
    """An amount to pay is more than 0."""
