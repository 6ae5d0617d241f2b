"""Wiring of the inventory app: which receiver hears which signal."""

from __future__ import annotations

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Products and how many are left."""

    name = "inventory"
    label = "inventory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers."""
        from inventory import receivers, signals

        signals.stock_low.connect(receivers.notify_stock_low)
