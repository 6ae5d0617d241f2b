"""Payments: one row for every time a card was asked for money."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PaymentState(models.TextChoices):
    """Where a payment is. Only `payments.services.pay` moves it."""

    #: The gateway is being asked. Older than a minute: the process died meanwhile, and the gateway's records decide.
    AUTHORISING = "authorising", _("authorising")
    #: The money is ours. Final.
    CAPTURED = "captured", _("captured")
    #: Declined; `failure_code` says why. Final: trying again is a new payment.
    FAILED = "failed", _("failed")


class Payment(models.Model):
    """One try to pay for an order by card. The card's full number is never stored."""

    #: A plain string: payments do not know orders.
    order_number = models.CharField(_("order number"), max_length=24)
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments", verbose_name=_("payer")
    )
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    #: ISO 4217.
    currency = models.CharField(_("currency"), max_length=3)
    card_last_four = models.CharField(_("last four digits of the card"), max_length=4)
    state = models.CharField(_("state"), max_length=16, choices=PaymentState, default=PaymentState.AUTHORISING)
    gateway_reference = models.CharField(_("gateway reference"), max_length=64, blank=True)
    #: The gateway's own word, such as "card_declined".
    failure_code = models.CharField(_("failure code"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    captured_at = models.DateTimeField(_("captured at"), null=True, blank=True)
    failed_at = models.DateTimeField(_("failed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        indexes = [
            # Serves "what was paid for this order?".
            models.Index(name="payments_payment_order", fields=["order_number"]),
        ]
        constraints = [
            # Against a "payment" that gives money away.
            models.CheckConstraint(name="payments_payment_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="payments_payment_currency_is_a_code", condition=Q(currency__regex="^[A-Z]{3}$")
            ),
            # Against a full card number in the wrong column.
            models.CheckConstraint(
                name="payments_payment_card_is_four_digits", condition=Q(card_last_four__regex="^[0-9]{4}$")
            ),
            # Against an UPDATE that moves the state and forgets what belongs to it.
            models.CheckConstraint(
                name="payments_payment_state_has_its_facts",
                condition=Q(state=PaymentState.AUTHORISING)
                | Q(state=PaymentState.CAPTURED, captured_at__isnull=False, failure_code="")
                | Q(state=PaymentState.FAILED, failed_at__isnull=False) & ~Q(failure_code=""),
            ),
            # Against one answer of the gateway settling two payments.
            models.UniqueConstraint(
                name="payments_payment_reference_once",
                fields=["gateway_reference"],
                condition=~Q(gateway_reference=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_number}: {self.amount} {self.currency}"
