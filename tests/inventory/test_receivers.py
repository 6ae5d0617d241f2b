"""What is published about the stock, and to whom."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from inventory.models import STOCK_MANAGERS, Product, StockItem
from inventory.services import restock, sell
from inventory.signals import stock_low
from notifications.models import Event
from notifications.publishing import Priority

pytestmark = pytest.mark.usefixtures("shipped_templates")


@pytest.fixture
def machine():
    """Ten espresso machines; fewer than ten are too few."""
    product = Product.objects.create(sku="ESP-100", name="Espresso machine", price=Decimal("1399.00"))
    StockItem.objects.create(product=product, quantity=10, low_stock_threshold=10)
    return product


@pytest.fixture
def managers():
    """The members of the group."""
    return Group.objects.get_or_create(name=STOCK_MANAGERS)[0].user_set


def test_low_stock_is_told_to_every_active_stock_manager_and_nobody_else(machine, managers, alice, bob, charlie):
    dora = get_user_model().objects.create_user("dora", is_active=False)
    managers.add(alice, bob, dora)

    sell(machine, quantity=1)

    event = Event.objects.get()
    assert event.template_id == "LOW_STOCK_ALERT"
    assert sorted(event.recipients) == sorted([str(alice.pk), str(bob.pk)])
    assert event.variables == {
        "product_name": "Espresso machine",
        "sku": "ESP-100",
        "current_stock": 9,
        "threshold": 10,
    }
    assert event.priority == Priority.URGENT
    assert event.about == f"inventory.product:{machine.pk}"


def test_low_stock_is_told_once_per_crossing(machine, managers, bob):
    managers.add(bob)

    sell(machine, quantity=1)
    sell(machine, quantity=1)
    restock(machine, quantity=2)
    sell(machine, quantity=1)

    assert Event.objects.count() == 2


def test_with_no_stock_manager_nothing_is_published_and_the_log_says_so(machine, alice, caplog):
    sell(machine, quantity=1)

    assert not Event.objects.exists()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"stock_low_unheard product={machine.pk}: add someone to the group 'stock managers'")
    ]


def test_a_sale_that_is_undone_is_not_told(machine, managers, bob, connect):
    managers.add(bob)

    def refuse(sender, **kwargs):
        assert Event.objects.exists()
        raise RuntimeError

    connect(stock_low, refuse)

    with pytest.raises(RuntimeError):
        sell(machine, quantity=1)

    assert not Event.objects.exists()
