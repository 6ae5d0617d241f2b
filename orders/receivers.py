"""Who is told about orders: the one module of this app that knows the notification system."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.publishing import ActionRefused, Pressed, audience, inbox_action, publish_notification
from orders.exceptions import WrongStatus
from orders.models import Order
from orders.services import deliver_order

#: Lines named in a confirmation. An order of any length can be placed, but variables are at most 16 KB.
SHOWN_LINES = 15


@audience("customers")
def customers() -> QuerySet[User]:
    """Return everybody who shops here: whose account is active, less staff."""
    return User.objects.filter(is_active=True, is_staff=False)


@inbox_action("confirm_arrival", text=gettext_lazy("It has arrived"))
def confirm_arrival(pressed: Pressed) -> str:
    """Take the customer's word for it that the parcel is there."""
    order = Order.objects.filter(pk=pressed.about.rpartition(":")[2], customer=pressed.recipient).first()
    if order is None:
        raise ActionRefused(_("This order is no longer there."))
    try:
        deliver_order(order)
    except WrongStatus as e:
        raise ActionRefused(_("Somebody has noted its arrival already.")) from e
    return _("Thank you! Enjoy it.")


def notify_customer_registered(sender: type[User], *, customer: User, **kwargs: Any) -> None:
    """Welcome the customer, a while after the registration itself has kept them busy."""
    publish_notification(
        "USER_WELCOME",
        recipient=customer,
        delay=settings.ORDERS_WELCOME_DELAY,
        action_url="/",
        action_text="Start shopping",
        about=customer,
        idempotency_key=f"user-welcome:{customer.pk}",
    )


def notify_order_created(sender: type[Order], *, order: Order, **kwargs: Any) -> None:
    """Confirm the order to its customer."""
    lines = list(order.lines.all())
    shown = lines[:SHOWN_LINES]
    publish_notification(
        "ORDER_CREATED",
        recipient=order.customer_id,
        variables={
            "order_number": order.number,
            "total": f"{order.total:.2f}",
            "currency": order.currency,
            "item_count": sum(line.quantity for line in lines),
            "lines": [{"name": line.name, "quantity": line.quantity} for line in shown],
            "lines_not_shown": len(lines) - len(shown),
        },
        action_url=f"/orders/{order.number}/",
        action_text="View order",
        about=order,
        idempotency_key=f"order-created:{order.pk}",
    )


def notify_order_shipped(sender: type[Order], *, order: Order, **kwargs: Any) -> None:
    """Tell the customer that the parcel is on its way."""
    publish_notification(
        "ORDER_SHIPPED",
        recipient=order.customer_id,
        variables={"order_number": order.number, "tracking_code": order.tracking_code},
        action_url=f"/orders/{order.number}/",
        action_text="View order",
        about=order,
        idempotency_key=f"order-shipped:{order.pk}",
    )


def notify_order_delivered(sender: type[Order], *, order: Order, **kwargs: Any) -> None:
    """Tell the customer that the parcel is there."""
    publish_notification(
        "ORDER_DELIVERED",
        recipient=order.customer_id,
        variables={"order_number": order.number},
        action_url=f"/orders/{order.number}/",
        action_text="View order",
        about=order,
        idempotency_key=f"order-delivered:{order.pk}",
    )
