"""Products and stock for staff."""

from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from inventory import services
from inventory.models import Product, StockItem
from notifications.admin_theme import ModelAdmin


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    """What the shop sells."""

    list_display = ["sku", "name", "price"]
    search_fields = ["sku", "name"]
    ordering = ["sku"]


@admin.register(StockItem)
class StockItemAdmin(ModelAdmin):
    """The opening stock and the threshold; from then on sales and restocks move the quantity."""

    list_display = ["product", "quantity", "low_stock_threshold", "is_low"]
    list_select_related = ["product"]
    autocomplete_fields = ["product"]
    search_fields = ["product__sku", "product__name"]
    ordering = ["product__sku"]

    @admin.display(boolean=True, description="low")
    def is_low(self, stock: StockItem) -> bool:
        """Show the model's verdict as an icon."""
        return stock.is_low

    def get_readonly_fields(self, request: HttpRequest, obj: StockItem | None = None) -> list[str]:
        """Let the quantity be typed once: an edited one could race with a sale and would announce nothing."""
        return ["product", "quantity"] if obj else []

    def save_model(self, request: HttpRequest, obj: StockItem, form: ModelForm[StockItem], change: bool) -> None:
        """Change the threshold by its verb, so that a crossing is announced."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        services.set_threshold(obj.product, threshold=obj.low_stock_threshold)
