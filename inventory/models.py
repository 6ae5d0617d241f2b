"""Products, and how many of each are left."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

#: The group whose members hear of low stock. Made by a migration; staff choose the members.
STOCK_MANAGERS = "stock managers"


class Product(models.Model):
    """Something the shop sells."""

    sku = models.CharField(_("SKU"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200)
    #: In the shop's own currency.
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            # Against a price that would lower an order's total.
            models.CheckConstraint(name="inventory_product_price_not_negative", condition=Q(price__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name


class StockItem(models.Model):
    """How many of a product are left, and from where on that is too few. Moved by `inventory.services` only."""

    product = models.OneToOneField(Product, on_delete=models.CASCADE, related_name="stock", verbose_name=_("product"))
    #: Positive fields carry a CHECK (>= 0) of their own: the last line of defence against selling what is not there.
    quantity = models.PositiveIntegerField(_("quantity"), default=0)
    low_stock_threshold = models.PositiveIntegerField(_("low-stock threshold"), default=0)

    class Meta:
        verbose_name = _("stock item")
        verbose_name_plural = _("stock items")

    def __str__(self) -> str:
        return f"{self.product}: {self.quantity}"

    @property
    def is_low(self) -> bool:
        """Are there fewer than the threshold asks for?"""
        return self.quantity < self.low_stock_threshold
