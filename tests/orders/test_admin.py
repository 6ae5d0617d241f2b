"""Staff look at orders; they do not move them by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from orders import services
from orders.types import LineItem

pytestmark = pytest.mark.usefixtures("shipped_templates")


@pytest.fixture
def order(alice):
    line = LineItem(sku="ESP-100", name="Espresso machine", unit_price=Decimal("1399.00"), quantity=2)
    return services.place_order(alice, lines=[line], currency="EUR")


def test_the_list_shows_number_customer_and_total(admin_client, order):
    page = admin_client.get(reverse("admin:orders_order_changelist"))

    assert page.status_code == 200
    for text in (order.number, "alice", "2798.00"):
        assert text in page.text


@pytest.mark.parametrize("query", ["number", "alice@example.com"])
def test_an_order_is_found_by_number_and_by_customer(admin_client, order, query):
    query = order.number if query == "number" else query

    found = admin_client.get(reverse("admin:orders_order_changelist"), {"q": query})
    not_found = admin_client.get(reverse("admin:orders_order_changelist"), {"q": "nobody"})

    assert order.number in found.text
    assert order.number not in not_found.text


def test_an_order_is_shown_with_its_lines_and_cannot_be_edited(admin_client, order):
    address = reverse("admin:orders_order_change", args=[order.pk])

    page = admin_client.get(address)
    answer = admin_client.post(address, {"status": "delivered"})

    assert "Espresso machine" in page.text
    assert answer.status_code == 403
    order.refresh_from_db()
    assert order.status == "placed"


@pytest.mark.parametrize("view", ["add", "delete"])
def test_orders_are_neither_added_nor_deleted_by_hand(admin_client, order, view):
    args = [order.pk] if view == "delete" else []

    assert admin_client.get(reverse(f"admin:orders_order_{view}", args=args)).status_code == 403
