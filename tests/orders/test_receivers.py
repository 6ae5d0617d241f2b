"""What is published about orders, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine

from notifications.models import Event, Template
from notifications.publishing import ActionRefused, Pressed, Priority
from notifications.registry import audience_named
from orders import services, signals
from orders.exceptions import WrongStatus
from orders.models import Order, OrderStatus
from orders.receivers import confirm_arrival, customers
from orders.types import LineItem

pytestmark = pytest.mark.usefixtures("shipped_templates")

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse"
LINES = [
    LineItem(sku="ESP-100", name="Espresso machine", unit_price=Decimal("1399.00")),
    LineItem(sku="CUP-001", name="Cup", unit_price=Decimal("50.00"), quantity=2),
]


@pytest.fixture
def order(alice):
    return services.place_order(alice, lines=LINES, currency="EUR")


def the_event(template: str) -> Event:
    return Event.objects.get(template_id=template)


def test_a_placed_order_is_confirmed_to_its_customer(alice, order):
    event = the_event("ORDER_CREATED")

    assert event.recipients == [str(alice.pk)]
    assert event.variables == {
        "order_number": order.number,
        "total": "1499.00",
        "currency": "EUR",
        "item_count": 3,
        "lines": [{"name": "Espresso machine", "quantity": 1}, {"name": "Cup", "quantity": 2}],
        "lines_not_shown": 0,
    }
    assert event.priority == Priority.NORMAL
    assert event.about == f"orders.order:{order.pk}"
    assert (event.action_url, event.action_text) == (f"/orders/{order.number}/", "View order")
    assert event.idempotency_key == f"order-created:{order.pk}"


def test_an_order_of_any_length_can_be_placed_and_confirmed(alice):
    long_name = "ü" * 200
    lines = [LineItem(sku=f"SKU-{n}", name=long_name, unit_price=Decimal(1), quantity=2) for n in range(500)]

    services.place_order(alice, lines=lines, currency="EUR")

    variables = the_event("ORDER_CREATED").variables
    assert (len(variables["lines"]), variables["lines_not_shown"]) == (15, 485)
    assert (variables["item_count"], variables["total"]) == (1000, "1000.00")


def test_a_shipped_order_is_announced_with_its_tracking_code(alice, order):
    services.mark_paid(order)
    services.ship_order(order, tracking_code="1Z999")

    event = the_event("ORDER_SHIPPED")
    assert event.recipients == [str(alice.pk)]
    assert event.variables == {"order_number": order.number, "tracking_code": "1Z999"}
    assert event.about == f"orders.order:{order.pk}"
    assert event.action_url == f"/orders/{order.number}/"
    assert event.idempotency_key == f"order-shipped:{order.pk}"


def test_a_delivered_order_is_announced(alice, order):
    services.mark_paid(order)
    services.ship_order(order, tracking_code="1Z999")
    services.deliver_order(order)

    event = the_event("ORDER_DELIVERED")
    assert event.recipients == [str(alice.pk)]
    assert event.variables == {"order_number": order.number}
    assert event.about == f"orders.order:{order.pk}"
    assert event.action_url == f"/orders/{order.number}/"
    assert event.idempotency_key == f"order-delivered:{order.pk}"


@pytest.mark.parametrize("verb", [services.mark_paid, services.cancel_order])
def test_payment_and_cancellation_of_an_order_announce_nothing(order, verb):
    verb(order)

    assert list(Event.objects.values_list("template_id", flat=True)) == ["ORDER_CREATED"]


@time_machine.travel(NOON, tick=False)
def test_a_new_customer_is_welcomed_an_hour_later(settings):
    settings.ORDERS_WELCOME_DELAY = timedelta(hours=1)

    bob = services.register_customer("bob", email="bob@example.com", password=PASSWORD)

    event = the_event("USER_WELCOME")
    assert event.recipients == [str(bob.pk)]
    assert event.variables == {}
    assert event.due_at - event.created_at == timedelta(hours=1)
    assert event.about == f"auth.user:{bob.pk}"
    assert event.idempotency_key == f"user-welcome:{bob.pk}"


def test_the_delay_of_the_welcome_is_a_setting(settings):
    settings.ORDERS_WELCOME_DELAY = timedelta(seconds=10)

    services.register_customer("bob", email="bob@example.com", password=PASSWORD)

    event = the_event("USER_WELCOME")
    assert event.due_at - event.created_at == timedelta(seconds=10)


def test_an_order_that_is_undone_announces_nothing(alice, connect):
    def refuse(sender, **kwargs):
        assert Event.objects.exists()
        raise RuntimeError

    connect(signals.order_created, refuse)

    with pytest.raises(RuntimeError):
        services.place_order(alice, lines=LINES, currency="EUR")

    assert not Event.objects.exists()


def test_a_refused_move_announces_nothing(order):
    stale = Order.objects.get(pk=order.pk)
    services.cancel_order(order)

    with pytest.raises(WrongStatus):
        services.ship_order(stale, tracking_code="1Z999")

    assert not Event.objects.filter(template_id="ORDER_SHIPPED").exists()


def test_the_customers_are_those_who_can_shop_less_staff(django_user_model):
    people = django_user_model.objects
    alice = people.create_user("alice")
    people.create_user("former", is_active=False)
    people.create_user("clerk", is_staff=True)

    assert list(customers()) == [alice]
    assert audience_named("customers") is customers


@pytest.fixture
def press(alice, order):
    """Return a function by which somebody presses the button of a shipped order's item."""

    def press(recipient=alice, about=f"orders.order:{order.pk}"):
        pressed = Pressed(recipient=recipient, template="ORDER_SHIPPED", about=about, notification_id=uuid4())
        return confirm_arrival(pressed)

    return press


def shipped(order):
    return services.ship_order(services.mark_paid(order), tracking_code="1Z")


def test_the_button_of_a_shipped_order_takes_the_customers_word(order, press):
    shipped(order)

    assert press() == "Thank you! Enjoy it."
    order.refresh_from_db()
    assert order.status == OrderStatus.DELIVERED


def test_the_button_refuses_what_was_noted_already(order, press):
    services.deliver_order(shipped(order))

    with pytest.raises(ActionRefused, match="noted its arrival already"):
        press()


def test_the_button_refuses_an_order_that_is_gone(press):
    with pytest.raises(ActionRefused, match="no longer there"):
        press(about="orders.order:0")


def test_the_button_is_for_the_customer_only(order, press, charlie):
    shipped(order)

    with pytest.raises(ActionRefused):
        press(recipient=charlie)
    order.refresh_from_db()
    assert order.status == OrderStatus.SHIPPED


def test_the_shipped_wording_has_the_button():
    assert Template.objects.get(code="ORDER_SHIPPED").actions == ["confirm_arrival"]
