"""Who is told about payments: the one module of this app that knows the notification system."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from notifications.publishing import Priority, publish_notification, resolve
from payments.models import Payment, PaymentState


def notify_payment_captured(sender: type[Payment], *, payment: Payment, **kwargs: Any) -> None:
    """Send the payer a receipt; what asked them to try again is settled."""
    for failed in Payment.objects.filter(
        order_number=payment.order_number, payer=payment.payer_id, state=PaymentState.FAILED
    ):
        resolve(failed, "PAYMENT_FAILED")
    publish_notification(
        "PAYMENT_CAPTURED",
        recipient=payment.payer_id,
        variables={
            "order_number": payment.order_number,
            "amount": f"{payment.amount:.2f}",
            "currency": payment.currency,
            "card_last_four": payment.card_last_four,
        },
        action_url=_order_url(payment),
        action_text="View order",
        about=payment,
        idempotency_key=f"payment-captured:{payment.pk}",
    )


def notify_payment_failed(sender: type[Payment], *, payment: Payment, **kwargs: Any) -> None:
    """Ask the payer to try again, before the order is given up."""
    publish_notification(
        "PAYMENT_FAILED",
        recipient=payment.payer_id,
        variables={
            "order_number": payment.order_number,
            "amount": f"{payment.amount:.2f}",
            "currency": payment.currency,
            "card_last_four": payment.card_last_four,
            "failure_code": payment.failure_code,
        },
        priority=Priority.HIGH,
        action_url=_order_url(payment),
        action_text="Try again",
        about=payment,
        idempotency_key=f"payment-failed:{payment.pk}",
    )


def _order_url(payment: Payment) -> str:
    """Quoted, because the number came from outside: a link the front door refuses would undo a settled payment."""
    return f"/orders/{quote(payment.order_number, safe='')}/"
