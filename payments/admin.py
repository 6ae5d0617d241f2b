"""Payments for staff to look at: a log of what the gateway said."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from notifications.admin_theme import ModelAdmin
from payments.models import Payment


@admin.register(Payment)
class PaymentAdmin(ModelAdmin):
    """Read-only: the gateway decides what was paid."""

    list_display = ["order_number", "payer", "amount", "currency", "state", "failure_code", "created_at"]
    list_filter = ["state", "failure_code", "currency"]
    list_select_related = ["payer"]
    search_fields = ["order_number", "gateway_reference", "payer__username", "payer__email"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Payments are made in the shop."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        """What happened stays as it happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        """Payments are kept."""
        return False
