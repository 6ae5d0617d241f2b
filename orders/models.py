"""Orders and their lines."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OrderStatus(models.TextChoices):
    """Where an order is. Only the verbs of `orders.services` move it."""

    #: Waiting for the money. `mark_paid` takes it out, or `cancel_order`.
    PLACED = "placed", _("placed")
    #: Waiting for its parcel. `ship_order` takes it out, or `cancel_order`.
    PAID = "paid", _("paid")
    #: With the carrier. `deliver_order` takes it out.
    SHIPPED = "shipped", _("shipped")
    #: The customer has it. Final.
    DELIVERED = "delivered", _("delivered")
    #: Called off before it was shipped. Final.
    CANCELLED = "cancelled", _("cancelled")


class Order(models.Model):
    """What a customer ordered, and how far it has come."""

    #: The primary key dressed up: unique without a counter to lock, and known as soon as the row is inserted.
    number = models.GeneratedField(
        expression=Concat(Value("ORD-"), Cast(F("id") + 10_000, models.CharField(max_length=20))),
        output_field=models.CharField(_("number"), max_length=24),
        db_persist=True,
        unique=True,
    )
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", verbose_name=_("customer")
    )
    status = models.CharField(_("status"), max_length=16, choices=OrderStatus, default=OrderStatus.PLACED)
    #: ISO 4217.
    currency = models.CharField(_("currency"), max_length=3)
    tracking_code = models.CharField(_("tracking code"), max_length=64, blank=True)
    placed_at = models.DateTimeField(_("placed at"), default=timezone.now)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            # Against an UPDATE that moves the status and forgets what belongs to it.
            models.CheckConstraint(
                name="orders_order_status_has_its_facts",
                condition=Q(status=OrderStatus.PLACED)
                | Q(status=OrderStatus.PAID, paid_at__isnull=False)
                | Q(status=OrderStatus.SHIPPED, shipped_at__isnull=False) & ~Q(tracking_code="")
                | Q(status=OrderStatus.DELIVERED, delivered_at__isnull=False)
                | Q(status=OrderStatus.CANCELLED, cancelled_at__isnull=False),
            ),
            # Against "€", "eur" and "", which no formatter or gateway understands.
            models.CheckConstraint(name="orders_order_currency_is_a_code", condition=Q(currency__regex="^[A-Z]{3}$")),
        ]

    def __str__(self) -> str:
        return str(self.number)

    @property
    def total(self) -> Decimal:
        """Sum of the lines. One query, unless they are prefetched."""
        return sum((line.amount for line in self.lines.all()), Decimal("0.00"))


class OrderLine(models.Model):
    """One thing ordered, as it was named and priced at that moment; later changes of the product do not reach it."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", verbose_name=_("order"))
    sku = models.CharField(_("SKU"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=2)
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["id"]
        constraints = [
            # Against lines that lower the total.
            models.CheckConstraint(name="orders_orderline_quantity_at_least_one", condition=Q(quantity__gte=1)),
            models.CheckConstraint(name="orders_orderline_price_not_negative", condition=Q(unit_price__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"

    @property
    def amount(self) -> Decimal:
        """Price of the whole line."""
        return self.unit_price * self.quantity
