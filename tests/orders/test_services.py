"""The verbs of orders: the status machine, its signals, and what a refusing receiver undoes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import DatabaseError

from orders import services, signals
from orders.exceptions import EmptyOrder, NoTrackingCode, WrongLine, WrongStatus
from orders.models import Order, OrderLine, OrderStatus
from orders.types import LineItem

pytestmark = pytest.mark.usefixtures("shipped_templates")

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse"
LINES = [
    LineItem(sku="ESP-100", name="Espresso machine", unit_price=Decimal("1399.00")),
    LineItem(sku="CUP-001", name="Cup", unit_price=Decimal("50.00"), quantity=2),
]

#: Each state by the verbs that lead to it.
PATHS = {
    OrderStatus.PLACED: [],
    OrderStatus.PAID: ["pay"],
    OrderStatus.SHIPPED: ["pay", "ship"],
    OrderStatus.DELIVERED: ["pay", "ship", "deliver"],
    OrderStatus.CANCELLED: ["cancel"],
}
VERBS = {
    "pay": services.mark_paid,
    "ship": lambda order: services.ship_order(order, tracking_code="1Z999"),
    "deliver": services.deliver_order,
    "cancel": services.cancel_order,
}
SIGNALS = {
    "pay": signals.order_paid,
    "ship": signals.order_shipped,
    "deliver": signals.order_delivered,
    "cancel": signals.order_cancelled,
}
MOVES = {
    ("placed", "pay"): "paid",
    ("placed", "cancel"): "cancelled",
    ("paid", "ship"): "shipped",
    ("paid", "cancel"): "cancelled",
    ("shipped", "deliver"): "delivered",
}
REFUSED = [(state, verb) for state in PATHS for verb in VERBS if (state, verb) not in MOVES]


@pytest.fixture
def an_order(alice):
    """Return a function that places an order and leads it to a state."""

    def an_order(status=OrderStatus.PLACED):
        order = services.place_order(alice, lines=LINES, currency="EUR")
        for verb in PATHS[status]:
            VERBS[verb](order)
        return order

    return an_order


def refuse(sender, **kwargs):
    raise RuntimeError


def stored_status(order: Order) -> str:
    return Order.objects.values_list("status", flat=True).get(pk=order.pk)


@time_machine.travel(NOON, tick=False)
def test_an_order_is_placed_with_its_lines_and_its_total(alice):
    order = services.place_order(alice, lines=LINES, currency="EUR")

    stored = Order.objects.get(number=order.number)
    assert (stored.customer, stored.status, stored.placed_at) == (alice, "placed", NOON)
    assert [str(line) for line in stored.lines.all()] == ["1 x Espresso machine", "2 x Cup"]
    assert stored.total == order.total == Decimal("1499.00")


def test_each_order_has_a_number_of_its_own(an_order):
    first, second = an_order(), an_order()

    assert first.number == f"ORD-{10_000 + first.pk}" == str(first)
    assert second.number != first.number


def test_an_order_without_lines_is_refused(alice):
    with pytest.raises(EmptyOrder, match="at least one line"):
        services.place_order(alice, lines=[], currency="EUR")

    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("quantity", "unit_price"),
    [(0, Decimal("1.00")), (-1, Decimal("1.00")), (1, Decimal("-0.01"))],
    ids=["no-quantity", "negative-quantity", "negative-price"],
)
def test_a_line_that_would_lower_the_total_is_refused(quantity, unit_price):
    with pytest.raises(WrongLine, match="CUP-001"):
        LineItem(sku="CUP-001", name="Cup", unit_price=unit_price, quantity=quantity)


@pytest.mark.parametrize(("state", "verb"), MOVES, ids=map("-".join, MOVES))
def test_a_verb_moves_the_order_and_stamps_the_time(an_order, state, verb):
    order = an_order(state)

    with time_machine.travel(NOON, tick=False):
        returned = VERBS[verb](order)

    wanted = MOVES[state, verb]
    assert returned is order
    assert order.status == stored_status(order) == wanted
    assert getattr(Order.objects.get(pk=order.pk), f"{wanted}_at") == NOON


@pytest.mark.parametrize(("state", "verb"), REFUSED, ids=map("-".join, REFUSED))
def test_any_other_move_is_refused(an_order, hear, state, verb):
    order = an_order(state)
    heard = hear(SIGNALS[verb], "order")

    with pytest.raises(WrongStatus):
        VERBS[verb](order)

    assert stored_status(order) == state
    assert heard == []


def test_a_refusal_names_the_state_and_the_allowed_ones(an_order):
    order = an_order(OrderStatus.SHIPPED)

    with pytest.raises(WrongStatus) as refusal:
        services.cancel_order(order)

    assert str(refusal.value) == f"Order {order.number} is shipped; only a placed or paid order can become cancelled"
    assert refusal.value.status is OrderStatus.SHIPPED
    assert refusal.value.allowed == (OrderStatus.PLACED, OrderStatus.PAID)


def test_the_slower_of_two_people_is_refused(an_order):
    bobs_view = an_order(OrderStatus.PAID)
    charlies_view = Order.objects.get(pk=bobs_view.pk)

    services.cancel_order(bobs_view)
    with pytest.raises(WrongStatus, match="is cancelled; only a paid order can become shipped"):
        services.ship_order(charlies_view, tracking_code="1Z999")

    assert stored_status(bobs_view) == "cancelled"


@pytest.mark.parametrize("tracking_code", ["", "  "], ids=["empty", "blank"])
def test_an_order_is_not_shipped_without_a_tracking_code(an_order, tracking_code):
    order = an_order(OrderStatus.PAID)

    with pytest.raises(NoTrackingCode):
        services.ship_order(order, tracking_code=tracking_code)

    assert stored_status(order) == "paid"


def test_shipping_keeps_the_tracking_code(an_order):
    order = services.ship_order(an_order(OrderStatus.PAID), tracking_code=" 1Z999 ")

    services.deliver_order(order)

    assert Order.objects.get(pk=order.pk).tracking_code == "1Z999"


def test_placing_an_order_sends_order_created(alice, hear):
    heard = hear(signals.order_created, "order")

    order = services.place_order(alice, lines=LINES, currency="EUR")

    assert heard == [order]


@pytest.mark.parametrize(("state", "verb"), MOVES, ids=map("-".join, MOVES))
def test_each_move_sends_its_signal_with_the_new_state(an_order, connect, state, verb):
    order = an_order(state)
    heard = []
    connect(SIGNALS[verb], lambda sender, order, **kwargs: heard.append((sender, order.pk, order.status)))

    VERBS[verb](order)

    assert heard == [(Order, order.pk, MOVES[state, verb])]


def test_a_receiver_that_raises_undoes_the_order(alice, connect):
    connect(signals.order_created, refuse)

    with pytest.raises(RuntimeError):
        services.place_order(alice, lines=LINES, currency="EUR")

    assert not Order.objects.exists()
    assert not OrderLine.objects.exists()


@pytest.mark.parametrize(("state", "verb"), MOVES, ids=map("-".join, MOVES))
def test_a_receiver_that_raises_undoes_the_move(an_order, connect, state, verb):
    order = an_order(state)
    connect(SIGNALS[verb], refuse)

    with pytest.raises(RuntimeError):
        VERBS[verb](order)

    assert stored_status(order) == state


def test_a_customer_is_registered_and_can_log_in(client, hear):
    heard = hear(signals.customer_registered, "customer")

    bob = services.register_customer("bob", email="bob@example.com", password=PASSWORD, first_name="Bob")

    assert heard == [bob]
    assert client.login(username="bob", password=PASSWORD)
    assert (bob.email, bob.first_name, bob.is_staff) == ("bob@example.com", "Bob", False)


def test_a_receiver_that_raises_undoes_the_registration(connect):
    connect(signals.customer_registered, refuse)

    with pytest.raises(RuntimeError):
        services.register_customer("bob", email="bob@example.com", password=PASSWORD)

    assert not get_user_model().objects.filter(username="bob").exists()


@pytest.mark.parametrize(
    "values",
    [
        {"status": "paid"},
        {"status": "shipped", "shipped_at": NOON},
        {"status": "delivered"},
        {"status": "cancelled"},
        {"status": "lost"},
        {"currency": "€"},
        {"currency": "eur"},
    ],
    ids=["paid-when", "shipped-how", "delivered-when", "cancelled-when", "unknown-status", "sign", "small-letters"],
)
def test_the_database_refuses_an_order_that_contradicts_itself(an_order, values):
    order = an_order()

    with pytest.raises(DatabaseError, match="constraint"):
        Order.objects.filter(pk=order.pk).update(**values)


@pytest.mark.parametrize("values", [{"quantity": 0}, {"unit_price": -1}], ids=["quantity", "price"])
def test_the_database_refuses_a_line_that_lowers_the_total(an_order, values):
    with pytest.raises(DatabaseError, match="constraint"):
        an_order().lines.update(**values)
