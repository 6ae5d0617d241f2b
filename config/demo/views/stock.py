"""Moving stock by hand, over the counter."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from config.demo.pages import Visit, for_warehouse, telling
from inventory import services
from inventory.models import Product, StockItem

MAX_QUANTITY = 100_000


@require_POST
@for_warehouse
def sell(request: Visit, pk: int) -> HttpResponse:
    """Sell some over the counter: field `quantity`."""
    return _move(request, pk, services.sell)


@require_POST
@for_warehouse
def restock(request: Visit, pk: int) -> HttpResponse:
    """Put some back on the shelf: field `quantity`."""
    return _move(request, pk, services.restock)


def _move(request: Visit, pk: int, verb: Callable[..., StockItem]) -> HttpResponse:
    product = get_object_or_404(Product, pk=pk, stock__isnull=False)
    with telling(request):
        quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY).clean(request.POST.get("quantity", ""))
        stock = verb(product, quantity=quantity)
        message = f"{product.name}: {stock.quantity} left."
        if stock.is_low:
            messages.warning(request, f"{message} That is below {stock.low_stock_threshold}.")
        else:
            messages.success(request, message)
    return redirect("demo:shop")
