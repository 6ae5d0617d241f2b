"""Wiring of the orders app: which receiver hears which signal."""

from __future__ import annotations

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Orders, from placed to delivered."""

    name = "orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers."""
        from orders import receivers, signals

        signals.customer_registered.connect(receivers.notify_customer_registered)
        signals.order_created.connect(receivers.notify_order_created)
        signals.order_shipped.connect(receivers.notify_order_shipped)
        signals.order_delivered.connect(receivers.notify_order_delivered)
