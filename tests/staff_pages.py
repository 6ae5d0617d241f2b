"""Every page of the admin, found through its addresses, over a database that holds one of everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from inventory.models import Product, StockItem
from notifications import ids
from notifications.models import (
    Category,
    ConsentChange,
    Delivery,
    Erasure,
    Event,
    Mute,
    Notification,
    Pause,
    Preference,
    Suppression,
    WorkerHeartbeat,
)  # fmt: skip
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import api_keys, broadcast_drafts, suppressions, templates
from notifications.types import Reason
from orders.models import Order
from payments.models import Payment
from tests.factories import make_broadcast, make_endpoint, make_template

#: How many levels of the tree of addresses have a name of their own: `admin:` alone.
_NAMESPACE = "admin"
#: Pages of a broadcast that is not one yet.
_OF_DRAFTS = {
    f"notifications_broadcast_{name}" for name in ("message", "audience", "review", "count", "recount", "discard")
}
#: What stands in addresses and is no key of a row.
_GIVEN = {"app_label": "notifications", "number": "1", "name": "pause"}


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: the name of its address, the model it belongs to (`notifications.delivery`) if any, its view, its path."""

    name: str
    model: str | None
    view: str
    parameters: tuple[str, ...]


def pages() -> list[Page]:
    """Return all there are; those without a name only lead to others."""
    return [_page(pattern) for pattern in _patterns(get_resolver().url_patterns, ()) if pattern.name]


def make_everything(boss: Any, user: Any) -> dict[str, Any]:
    """Make a row of every model that has pages; return them by model. Its history is the boss's, and is about the user."""
    template = make_template("ORDER_CREATED")
    publish_notification("ORDER_CREATED", recipient=user, variables={"order_number": "ORD-1"}, about="orders.order:1")
    dispatch_batch(template.priority, more=lambda: None)
    now = timezone.now()
    product = Product.objects.create(sku="ESP-100", name="Espresso machine", price=Decimal(1399))
    draft = broadcast_drafts.begin(template, by=boss, now=now)
    broadcast_drafts.address(draft, recipients=[str(user.pk)], by=boss)
    rows = [
        Event.objects.get(), Notification.objects.get(), Delivery.objects.filter(channel="email").get(), template,
        Category.objects.get(), templates.draft_of(template, user=boss), make_broadcast(template), user, product,
        draft,
        apps.get_model("auth.group").objects.order_by("pk").first(),
        make_endpoint(user),
        StockItem.objects.create(product=product, quantity=5, low_stock_threshold=1),
        Order.objects.create(customer=user, currency="EUR", placed_at=now),
        Payment.objects.create(order_number="ORD-1", payer=user, amount=Decimal(10), currency="EUR", card_last_four="4242"),
        api_keys.issue(
            "Shop", templates=["ORDER_CREATED"], may_publish=True, may_read=True,
            expires_at=now + timedelta(days=1), by=boss, now=now,
        ).key,
        Preference.objects.create(recipient=user, category=template.category, channel="email", cadence="daily"),
        ConsentChange.objects.create(
            recipient=user, subject="category:orders", channel="email", before="", after="daily", source="admin",
            changed_at=now,
        ),
        WorkerHeartbeat.objects.create(
            id=ids.uuid7(), host="web-1", process=1, threads=10, started_at=now, seen_at=now, queues=[]
        ),
        user.notification_settings,
        Mute.objects.create(recipient=user, about="orders.order:2", created_at=now),
        Erasure.objects.create(recipient_key="0", requested_at=now, step="done", finished_at=now),
        # Of what nothing else here is about.
        Pause.objects.create(scope="category", key="stock", created_at=now, note="An example."),
    ]  # fmt: skip
    suppressions.add("email", "bounced@example.com", reason=Reason.HARD_BOUNCE, now=now)
    return {row._meta.label_lower: row for row in [*rows, Suppression.objects.get()]}


def path_of(page: Page, rows: dict[str, Any]) -> str:
    """Return where a page is; of a model, that of its row."""
    given: dict[str, str] = {}
    for parameter in page.parameters:
        row = rows["notifications.broadcastdraft" if page.name in _OF_DRAFTS else page.model or "auth.user"]
        given[parameter] = _GIVEN.get(parameter, quote(row.pk))
    if page.name == "view_on_site":
        given = {"content_type_id": "1", "object_id": "1"}
    return reverse(f"admin:{page.name}", kwargs=given)


def _patterns(patterns: list[Any], namespaces: tuple[str, ...]) -> list[URLPattern]:
    found: list[URLPattern] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inside = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            found += _patterns(pattern.url_patterns, inside)
        elif namespaces[:1] == (_NAMESPACE,):
            found.append(pattern)
    return found


def _page(pattern: URLPattern) -> Page:
    name = str(pattern.name)
    parameters = tuple(pattern.pattern.regex.groupindex)
    for model in admin.site._registry:
        start = f"{model._meta.app_label}_{model._meta.model_name}_"
        if name.startswith(start):
            return Page(name=name, model=model._meta.label_lower, view=name.removeprefix(start), parameters=parameters)
    return Page(name=name, model=None, view=name, parameters=parameters)
