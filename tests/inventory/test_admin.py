"""Staff keep products and thresholds; sales and restocks move the quantity."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from inventory.models import Product, StockItem
from inventory.signals import stock_low

pytestmark = pytest.mark.usefixtures("shipped_templates")


@pytest.fixture
def machine():
    return Product.objects.create(sku="ESP-100", name="Espresso machine", price=Decimal("1399.00"))


@pytest.fixture
def stock(machine):
    return StockItem.objects.create(product=machine, quantity=12, low_stock_threshold=10)


@pytest.mark.parametrize("model", ["product", "stockitem"])
def test_the_list_shows_and_finds_the_product(admin_client, stock, model):
    page = admin_client.get(reverse(f"admin:inventory_{model}_changelist"), {"q": "ESP-100"})

    assert page.status_code == 200
    assert "Espresso machine" in page.text


def test_staff_type_the_opening_stock(admin_client, machine):
    values = {"product": machine.pk, "quantity": 12, "low_stock_threshold": 10}

    admin_client.post(reverse("admin:inventory_stockitem_add"), values)

    stock = StockItem.objects.get()
    assert (stock.product, stock.quantity, stock.low_stock_threshold) == (machine, 12, 10)


def test_a_threshold_raised_above_what_is_left_is_announced(admin_client, stock, hear):
    heard = hear(stock_low, "stock")

    admin_client.post(reverse("admin:inventory_stockitem_change", args=[stock.pk]), {"low_stock_threshold": 13})

    stock.refresh_from_db()
    assert stock.low_stock_threshold == 13
    assert heard == [stock]


def test_the_quantity_cannot_be_edited_afterwards(admin_client, stock):
    values = {"quantity": 99, "low_stock_threshold": 10}

    admin_client.post(reverse("admin:inventory_stockitem_change", args=[stock.pk]), values)

    stock.refresh_from_db()
    assert stock.quantity == 12
