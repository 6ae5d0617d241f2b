"""The front page: who are you? Then the shop for customers, or the warehouse for those who work there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from config.demo.pages import is_warehouse, page
from config.demo.seed import ARTICLES
from inventory.models import Product
from orders.models import Order, OrderStatus

#: Orders listed.
MAX_ORDERS = 12
PICTURES = {article.sku: article.picture for article in ARTICLES}


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return page(request, "demo/welcome.html")
    products = list(Product.objects.filter(stock__isnull=False).select_related("stock").order_by("pk"))
    orders = Order.objects.prefetch_related("lines").order_by("-pk")
    if is_warehouse(request.user):
        waiting = orders.filter(status__in=[OrderStatus.PAID, OrderStatus.SHIPPED]).select_related("customer")
        stock = [_shelf(product) for product in products]
        return page(request, "demo/warehouse.html", {"orders": waiting[:MAX_ORDERS], "stock": stock})
    goods = [{"product": product, "picture": PICTURES.get(product.sku, "box")} for product in products]
    own = orders.filter(customer=request.user)
    return page(request, "demo/shop.html", {"goods": goods, "orders": own[:MAX_ORDERS]})


def _shelf(product: Product) -> dict[str, object]:
    """Return a row of the stock table, with the numbers that make the next step interesting."""
    stock = product.stock
    return {
        "product": product,
        "stock": stock,
        # One too many: the alert.
        "to_sell": max(stock.quantity - stock.low_stock_threshold + 1, 1),
        # Back to where the next fall is announced again.
        "to_restock": max(stock.low_stock_threshold - stock.quantity, 0) + 10,
    }
