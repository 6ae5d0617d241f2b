"""Several people sell the same product at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from inventory.exceptions import OutOfStock
from inventory.models import Product, StockItem
from inventory.services import sell
from inventory.signals import stock_low

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shipped_templates")]


def sell_five(product: Product) -> int:
    """Try to sell five, one by one; return how many were there."""
    sold = 0
    for _ in range(5):
        try:
            sell(product, quantity=1)
        except OutOfStock:
            continue
        sold += 1
    connection.close()
    return sold


def test_nothing_is_sold_twice_and_the_crossing_is_told_once(hear):
    product = Product.objects.create(sku="ESP-100", name="Espresso machine", price=Decimal("1399.00"))
    StockItem.objects.create(product=product, quantity=12, low_stock_threshold=6)
    heard = hear(stock_low, "stock")

    with ThreadPoolExecutor(max_workers=4) as people:
        sold = list(people.map(sell_five, [product] * 4))

    assert sum(sold) == 12
    assert StockItem.objects.get().quantity == 0
    assert [stock.quantity for stock in heard] == [5]
