"""Across the domains: everything together, or nothing."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from config.demo import checkout
from inventory.exceptions import OutOfStock
from inventory.models import Product, StockItem
from notifications.models import Event
from orders.exceptions import EmptyOrder, WrongStatus
from orders.models import Order, OrderStatus
from payments.exceptions import InvalidCardNumber
from payments.models import Payment, PaymentState

WORKING, DECLINED, MISTYPED = "4242424242424242", "4000000000000002", "4242424242424241"


@pytest.fixture
def alice(shop):
    return get_user_model().objects.get(username="alice")


@pytest.fixture
def kettle(shop):
    return Product.objects.get(sku="KET-010")


@pytest.fixture
def machine(shop):
    return Product.objects.get(sku="ESP-100")


@pytest.fixture
def order(alice, kettle):
    return checkout.place_order(alice, basket={kettle: 1})


def stock_of(product):
    return StockItem.objects.get(product=product).quantity


def events(template):
    return Event.objects.filter(template_id=template).count()


def test_an_order_takes_from_the_stock(alice, kettle, machine):
    order = checkout.place_order(alice, basket={kettle: 2, machine: 1})

    assert {line.sku: line.quantity for line in order.lines.all()} == {"KET-010": 2, "ESP-100": 1}
    assert order.total == 2 * kettle.price + machine.price
    assert (stock_of(kettle), stock_of(machine)) == (9, 11)
    assert (events("ORDER_CREATED"), events("LOW_STOCK_ALERT")) == (1, 1)


def test_an_order_that_cannot_be_filled_leaves_nothing_behind(alice, kettle, machine):
    with pytest.raises(OutOfStock):
        checkout.place_order(alice, basket={machine: 1, kettle: 12})

    assert not Order.objects.exists()
    assert (stock_of(kettle), stock_of(machine)) == (11, 12)
    assert not Event.objects.exists()


def test_an_empty_basket_is_no_order(alice):
    with pytest.raises(EmptyOrder):
        checkout.place_order(alice, basket={})

    assert not Order.objects.exists()


def test_a_payment_moves_the_order(order):
    payment = checkout.pay(order, card_number=WORKING)

    assert payment.state == PaymentState.CAPTURED
    assert payment.amount == order.total
    assert Order.objects.get().status == OrderStatus.PAID
    assert (events("PAYMENT_CAPTURED"), events("PAYMENT_FAILED")) == (1, 0)


def test_a_declined_card_leaves_the_order_open(order):
    payment = checkout.pay(order, card_number=DECLINED)

    assert payment.state == PaymentState.FAILED
    assert Order.objects.get().status == OrderStatus.PLACED
    assert (events("PAYMENT_CAPTURED"), events("PAYMENT_FAILED")) == (0, 1)


def test_after_a_declined_card_another_one_works(order):
    checkout.pay(order, card_number=DECLINED)

    checkout.pay(order, card_number=WORKING)

    assert Order.objects.get().status == OrderStatus.PAID


def test_a_second_click_charges_nothing(order):
    stale = Order.objects.get()
    checkout.pay(order, card_number=WORKING)

    with pytest.raises(WrongStatus, match="is paid"):
        checkout.pay(stale, card_number=WORKING)

    assert Payment.objects.count() == 1


def test_a_mistyped_card_number_stores_nothing(order):
    with pytest.raises(InvalidCardNumber):
        checkout.pay(order, card_number=MISTYPED)

    assert not Payment.objects.exists()
