"""Placing an order and following it from the card to the door."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from config.demo import checkout
from config.demo.pages import Visit, for_warehouse, is_warehouse, logged_in, page, telling
from inventory.models import Product
from orders import services
from orders.models import Order, OrderStatus
from payments.models import Payment, PaymentState

#: The cards to choose from. Numbers: payments.gateway.
CARDS = (
    ("4242 4242 4242 4242", "works"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4242 4242 4242 4241", "has a typing error"),
)
#: The way of an order: status, and the field that says when.
WAY = (
    (OrderStatus.PLACED, "placed_at"),
    (OrderStatus.PAID, "paid_at"),
    (OrderStatus.SHIPPED, "shipped_at"),
    (OrderStatus.DELIVERED, "delivered_at"),
)
MAX_QUANTITY = 9999
#: As long as the column.
TRACKING_CODE = forms.CharField(max_length=64, error_messages={"required": "Please give the tracking code."})


@require_POST
@logged_in
def place(request: Visit) -> HttpResponse:
    """Order what was chosen: fields `quantity-<product>`."""
    path = reverse("demo:shop")
    with telling(request):
        order = checkout.place_order(request.user, basket=_basket(request))
        messages.success(request, f"Thank you! Your order is {order.number}; now you can pay.")
        path = reverse("demo:order", args=[order.number])
    return redirect(path)


@require_GET
@logged_in
def show(request: Visit, number: str) -> HttpResponse:
    order = _visible(request).filter(number=number).select_related("customer").prefetch_related("lines").first()
    if order is None:
        return page(request, "demo/stranger.html", {"number": number, "next": request.path}, status=404)
    context = {
        "order": order,
        "way": [(status.label, getattr(order, field)) for status, field in WAY],
        "payments": Payment.objects.filter(order_number=order.number).order_by("pk"),
        "cards": CARDS,
        "tracking_code": f"1Z999AA{order.pk:010d}",
        "is_own": order.customer_id == request.user.pk,
    }
    return page(request, "demo/order.html", context)


@sensitive_post_parameters("card")
@require_POST
@logged_in
def pay(request: Visit, number: str) -> HttpResponse:
    """Pay one's own order by card: field `card`."""
    order = get_object_or_404(Order, number=number, customer=request.user)
    with telling(request):
        payment = checkout.pay(order, card_number=request.POST.get("card", ""))
        if payment.state == PaymentState.CAPTURED:
            messages.success(request, "Paid, thank you!")
        else:
            messages.warning(request, "The card was declined. Nothing was charged; try another one.")
    return redirect("demo:order", number=number)


@require_POST
@for_warehouse
def ship(request: Visit, number: str) -> HttpResponse:
    """Hand an order to the carrier: field `tracking_code`."""
    order = get_object_or_404(Order, number=number)
    with telling(request):
        services.ship_order(order, tracking_code=TRACKING_CODE.clean(request.POST.get("tracking_code", "")))
        messages.success(request, f"{number} is on its way.")
    return redirect("demo:order", number=number)


@require_POST
@for_warehouse
def deliver(request: Visit, number: str) -> HttpResponse:
    """Take note that an order has arrived."""
    order = get_object_or_404(Order, number=number)
    with telling(request):
        services.deliver_order(order)
        messages.success(request, f"{number} has arrived.")
    return redirect("demo:order", number=number)


def _visible(request: Visit) -> QuerySet[Order]:
    """Return the orders this user may see: the warehouse all, customers their own."""
    return Order.objects.all() if is_warehouse(request.user) else Order.objects.filter(customer=request.user)


def _basket(request: HttpRequest) -> dict[Product, int]:
    """Return how many were chosen of which products."""
    quantity = forms.IntegerField(min_value=0, max_value=MAX_QUANTITY, required=False)
    products = Product.objects.filter(stock__isnull=False).order_by("pk")
    numbers = {product: quantity.clean(request.POST.get(f"quantity-{product.pk}", "")) for product in products}
    basket = {product: number for product, number in numbers.items() if number}
    if not basket:
        message = "Please choose something first."
        raise ValidationError(message)
    return basket
