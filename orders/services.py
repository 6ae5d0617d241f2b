"""
What people do with orders.

Each verb is one transaction: it saves, then sends its signal. The order passed in is brought up to date and returned;
after a rollback refresh it, as after `save()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from orders.exceptions import EmptyOrder, NoTrackingCode, WrongStatus
from orders.models import Order, OrderLine, OrderStatus
from orders.signals import (
    customer_registered,
    order_cancelled,
    order_created,
    order_delivered,
    order_paid,
    order_shipped,
)
from orders.types import LineItem

#: The status machine: to become the key, an order must be one of these.
ALLOWED = {
    OrderStatus.PAID: (OrderStatus.PLACED,),
    OrderStatus.SHIPPED: (OrderStatus.PAID,),
    OrderStatus.DELIVERED: (OrderStatus.SHIPPED,),
    OrderStatus.CANCELLED: (OrderStatus.PLACED, OrderStatus.PAID),
}


@sensitive_variables("password")
def register_customer(username: str, *, email: str, password: str, first_name: str = "", last_name: str = "") -> User:
    """Open an account for a customer."""
    users = get_user_model()
    customer = users(
        username=users.normalize_username(username),
        email=users.objects.normalize_email(email),
        first_name=first_name,
        last_name=last_name,
    )
    # Before the transaction: hashing takes its time, and on SQLite nobody else could write meanwhile.
    customer.set_password(password)
    with transaction.atomic():
        customer.save(force_insert=True)
        customer_registered.send(sender=users, customer=customer)
    return customer


@transaction.atomic
def place_order(customer: User, *, lines: Iterable[LineItem], currency: str) -> Order:
    """Place an order of at least one line, priced in `currency` (ISO 4217)."""
    items = list(lines)
    if not items:
        raise EmptyOrder

    order = Order.objects.create(customer=customer, currency=currency)
    OrderLine.objects.bulk_create(
        OrderLine(order=order, sku=item.sku, name=item.name, unit_price=item.unit_price, quantity=item.quantity)
        for item in items
    )
    # Lines never change, so receivers and the caller may share one reading of them.
    prefetch_related_objects([order], "lines")
    order_created.send(sender=Order, order=order)
    return order


@transaction.atomic
def mark_paid(order: Order) -> Order:
    """Take note that the money is in."""
    _move(order, to=OrderStatus.PAID, facts={"paid_at": timezone.now()})
    order_paid.send(sender=Order, order=order)
    return order


@transaction.atomic
def ship_order(order: Order, *, tracking_code: str) -> Order:
    """Hand the order to the carrier, who gave `tracking_code` for it."""
    if not tracking_code.strip():
        raise NoTrackingCode

    _move(order, to=OrderStatus.SHIPPED, facts={"shipped_at": timezone.now(), "tracking_code": tracking_code.strip()})
    order_shipped.send(sender=Order, order=order)
    return order


@transaction.atomic
def deliver_order(order: Order) -> Order:
    """Take note that the customer has it."""
    _move(order, to=OrderStatus.DELIVERED, facts={"delivered_at": timezone.now()})
    order_delivered.send(sender=Order, order=order)
    return order


@transaction.atomic
def cancel_order(order: Order) -> Order:
    """Call the order off; too late once it is shipped."""
    _move(order, to=OrderStatus.CANCELLED, facts={"cancelled_at": timezone.now()})
    order_cancelled.send(sender=Order, order=order)
    return order


def _move(order: Order, *, to: OrderStatus, facts: Mapping[str, datetime | str]) -> None:
    """Move the order by compare-and-set and write the `facts` (field names and values) that belong to the move."""
    num_updated = Order.objects.filter(pk=order.pk, status__in=ALLOWED[to]).update(status=to, **facts)
    if num_updated != 1:
        # Never allowed, or someone else got there first: what the database says now, not what `order` remembers.
        status = OrderStatus(Order.objects.values_list("status", flat=True).get(pk=order.pk))
        raise WrongStatus(order.number, status=status, wanted=to, allowed=ALLOWED[to])
    order.refresh_from_db(fields=["status", *facts])
