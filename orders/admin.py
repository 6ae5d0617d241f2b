"""Orders for staff to look at; their status is moved by `orders.services` only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from notifications.admin_theme import ModelAdmin, TabularInline
from orders.models import Order, OrderLine


class OrderLineInline(TabularInline):  # type: ignore[type-arg]
    """The lines, below their order: what was bought."""

    model = OrderLine
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is added to an order by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was bought stays as it was."""
        return False


@admin.register(Order)
class OrderAdmin(ModelAdmin):
    """Read-only: an edited status would skip the status machine and tell nobody."""

    list_display = ["number", "customer", "status", "total", "currency", "placed_at"]
    list_filter = ["status", "currency"]
    list_select_related = ["customer"]
    search_fields = ["number", "customer__username", "customer__email", "tracking_code"]
    date_hierarchy = "placed_at"
    ordering = ["-placed_at"]
    inlines = [OrderLineInline]
    readonly_fields = ["number", "total"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Read the lines of a page at once: each row shows its total."""
        return super().get_queryset(request).prefetch_related("lines")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Orders are placed in the shop."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Orders are moved by the shop and the warehouse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Orders are kept: cancelled, not deleted."""
        return False
