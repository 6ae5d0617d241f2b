"""What people do with payments: pay."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from payments.exceptions import WrongAmount
from payments.gateway import Charge, FakeGateway, clean_card_number
from payments.models import Payment, PaymentState
from payments.signals import payment_captured, payment_failed

GATEWAY = FakeGateway()


@sensitive_variables("card_number", "number")
def pay(payer: User, *, order_number: str, amount: Decimal, currency: str, card_number: str) -> Payment:
    """
    Ask the card for the money and return the payment, captured or failed: a decline is not an error.

    An impossible amount or card number raises, and nothing is stored.
    """
    if amount <= 0:
        raise WrongAmount(f"An amount to pay is more than 0, not {amount}")
    number = clean_card_number(card_number)

    # Three steps, not one transaction: no lock is held while the gateway thinks, and should this process die there,
    # or a receiver refuse the outcome, the row says that the gateway was asked.
    payment = Payment.objects.create(
        payer=payer, order_number=order_number, amount=amount, currency=currency, card_last_four=number[-4:]
    )
    charge = GATEWAY.charge(number, amount=amount, currency=currency)
    if charge.failure_code:
        return _fail(payment, charge=charge)
    return _capture(payment, charge=charge)


@transaction.atomic
def _capture(payment: Payment, *, charge: Charge) -> Payment:
    """Settle: the money is ours."""
    payment.state = PaymentState.CAPTURED
    payment.gateway_reference = charge.reference
    payment.captured_at = timezone.now()
    payment.save(update_fields=["state", "gateway_reference", "captured_at"])
    payment_captured.send(sender=Payment, payment=payment)
    return payment


@transaction.atomic
def _fail(payment: Payment, *, charge: Charge) -> Payment:
    """Settle: the card was declined."""
    payment.state = PaymentState.FAILED
    payment.gateway_reference = charge.reference
    payment.failure_code = charge.failure_code
    payment.failed_at = timezone.now()
    payment.save(update_fields=["state", "gateway_reference", "failure_code", "failed_at"])
    payment_failed.send(sender=Payment, payment=payment)
    return payment
