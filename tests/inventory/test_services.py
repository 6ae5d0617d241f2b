"""Selling and restocking: what is left, and when the stock is called low."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError

from inventory.exceptions import OutOfStock, WrongQuantity
from inventory.models import Product, StockItem
from inventory.services import restock, sell, set_threshold
from inventory.signals import stock_low

pytestmark = pytest.mark.usefixtures("shipped_templates")


@pytest.fixture
def machine():
    """Twelve espresso machines; fewer than ten are too few."""
    product = Product.objects.create(sku="ESP-100", name="Espresso machine", price=Decimal("1399.00"))
    StockItem.objects.create(product=product, quantity=12, low_stock_threshold=10)
    return product


@pytest.fixture
def heard(hear):
    """What `stock_low` says."""
    return hear(stock_low, "stock")


def refuse(sender, **kwargs):
    raise RuntimeError


def left(product: Product) -> int:
    return StockItem.objects.get(product=product).quantity


def test_a_sale_takes_out_of_the_stock(machine):
    stock = sell(machine, quantity=2)

    assert stock.quantity == machine.stock.quantity == left(machine) == 10


def test_a_restock_puts_into_the_stock(machine):
    stock = restock(machine, quantity=8)

    assert stock.quantity == machine.stock.quantity == left(machine) == 20


def test_the_last_one_can_be_sold_and_no_more(machine):
    sell(machine, quantity=12)

    with pytest.raises(OutOfStock, match="1 of ESP-100 wanted, 0 left"):
        sell(machine, quantity=1)

    assert left(machine) == 0


def test_a_sale_of_too_many_takes_none(machine, heard):
    with pytest.raises(OutOfStock) as refusal:
        sell(machine, quantity=13)

    assert (refusal.value.wanted, refusal.value.left) == (13, 12)
    assert left(machine) == 12
    assert heard == []


def test_what_is_sold_is_what_the_database_has_not_what_the_caller_remembers(machine):
    bobs_view = Product.objects.select_related("stock").get(pk=machine.pk)
    sell(machine, quantity=10)

    with pytest.raises(OutOfStock):
        sell(bobs_view, quantity=3)

    assert left(machine) == 2


@pytest.mark.parametrize("verb", [sell, restock])
@pytest.mark.parametrize("quantity", [0, -1])
def test_a_movement_of_nothing_is_refused(machine, verb, quantity):
    with pytest.raises(WrongQuantity, match=str(quantity)):
        verb(machine, quantity=quantity)

    assert left(machine) == 12


def test_a_negative_threshold_is_refused(machine):
    with pytest.raises(WrongQuantity, match="-1"):
        set_threshold(machine, threshold=-1)


@pytest.mark.parametrize(
    ("movements", "crossings"),
    [
        ([-2], []),
        ([-3], [9]),
        ([-12], [0]),
        ([-3, -1, -1, -5], [9]),
        ([-3, +1], [9]),
        ([-3, +1, -1], [9, 9]),
        ([-5, +2, -1], [7]),
        ([-5, +10, -2], [7]),
        ([-5, +10, -8, -1], [7, 9]),
        ([+8, -8, -2], []),
    ],
    ids=[
        "to-the-threshold",
        "below-it",
        "to-nothing",
        "several-sales-below-it",
        "restocked-to-it",
        "restocked-to-it-and-below-again",
        "restocked-but-still-below",
        "restocked-above-it",
        "restocked-above-it-and-below-again",
        "never-below",
    ],
)
def test_each_crossing_is_told_once(machine, connect, movements, crossings):
    told = []
    connect(stock_low, lambda sender, stock, **kwargs: told.append(stock.quantity))

    for movement in movements:
        (restock if movement > 0 else sell)(machine, quantity=abs(movement))

    assert told == crossings


def test_a_threshold_raised_above_what_is_left_is_a_crossing(machine, heard):
    stock = set_threshold(machine, threshold=13)

    assert heard == [stock]
    assert StockItem.objects.get().low_stock_threshold == 13


def test_a_threshold_raised_again_while_low_is_not_another_crossing(machine, heard):
    set_threshold(machine, threshold=13)
    set_threshold(machine, threshold=20)

    assert len(heard) == 1


def test_a_lowered_threshold_arms_the_alert_again(machine, heard):
    sell(machine, quantity=3)
    set_threshold(machine, threshold=5)
    sell(machine, quantity=5)

    assert [stock.quantity for stock in heard] == [9, 4]


def test_a_threshold_of_nothing_is_never_crossed(machine, heard):
    set_threshold(machine, threshold=0)
    sell(machine, quantity=12)

    assert heard == []


def test_a_receiver_that_raises_undoes_the_sale_and_the_crossing_is_told_next_time(machine, connect, hear):
    connect(stock_low, refuse)
    with pytest.raises(RuntimeError):
        sell(machine, quantity=3)
    assert left(machine) == 12
    stock_low.disconnect(refuse)

    heard = hear(stock_low, "stock")
    sell(machine, quantity=3)

    assert len(heard) == 1


def test_the_database_refuses_a_negative_stock(machine):
    with pytest.raises(DatabaseError, match="constraint"):
        StockItem.objects.update(quantity=-1)


def test_the_database_refuses_a_negative_price(machine):
    with pytest.raises(DatabaseError, match="constraint"):
        Product.objects.update(price=-1)
