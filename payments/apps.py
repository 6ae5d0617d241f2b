"""Wiring of the payments app: which receiver hears which signal."""

from __future__ import annotations

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Card payments for orders."""

    name = "payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers."""
        from payments import receivers, signals

        signals.payment_captured.connect(receivers.notify_payment_captured)
        signals.payment_failed.connect(receivers.notify_payment_failed)
