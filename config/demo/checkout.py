"""The glue between the domains: an order takes from the stock, a payment moves its order. One transaction each."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from inventory import services as inventory
from inventory.models import Product
from orders import services as orders
from orders.exceptions import WrongStatus
from orders.models import Order, OrderStatus
from orders.types import LineItem
from payments import services as payments
from payments.models import Payment, PaymentState

#: The shop's own currency: that of its prices.
CURRENCY = "EUR"


@transaction.atomic
def place_order(customer: User, *, basket: Mapping[Product, int]) -> Order:
    """Order what is in the basket (product → how many) and take it out of the stock: all of it, or nothing."""
    lines = [
        LineItem(sku=product.sku, name=product.name, unit_price=product.price, quantity=quantity)
        for product, quantity in basket.items()
    ]
    # The stock first: a number that no order line could hold is refused there.
    # Locked in the same order by everybody, so that two baskets cannot wait for each other.
    for product in sorted(basket, key=lambda product: product.sku):
        inventory.sell(product, quantity=basket[product])
    return orders.place_order(customer, lines=lines, currency=CURRENCY)


@sensitive_variables("card_number")
@transaction.atomic
def pay(order: Order, *, card_number: str) -> Payment:
    """Charge the order's total and mark it paid. A declined card is a failed payment, and the order stays open."""
    # A second click waits for this lock, finds the order paid, and charges nothing.
    status = OrderStatus(Order.objects.select_for_update().get(pk=order.pk).status)
    allowed = orders.ALLOWED[OrderStatus.PAID]
    if status not in allowed:
        raise WrongStatus(str(order.number), status=status, wanted=OrderStatus.PAID, allowed=allowed)

    payment = payments.pay(
        order.customer,
        order_number=str(order.number),
        amount=order.total,
        currency=order.currency,
        card_number=card_number,
    )
    if payment.state == PaymentState.CAPTURED:
        orders.mark_paid(order)
    return payment
