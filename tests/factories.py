"""Rows for tests."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.utils import timezone

from notifications import ids
from notifications.models import (
    Broadcast,
    Category,
    Endpoint,
    Notification,
    RecipientSettings,
    Template,
    TemplateContent,
    TemplateVersion,
)
from notifications.types import BroadcastState, Priority

CONTENTS = {
    ("in_app", ""): {"title": "Order {{ order_number }}", "body": "We have it."},
    ("in_app", "de"): {"title": "Bestellung {{ order_number }}", "body": "Sie ist da."},
    ("email", ""): {"title": "Your order {{ order_number }}", "body": "Hello {{ recipient_name }}, we have it."},
    ("sms", ""): {"body": "Order {{ order_number }} is here."},
}


def make_person(name, **settings):
    """Return somebody who has an e-mail address and, if any are given, settings."""
    user = get_user_model().objects.create_user(name, email=f"{name}@example.com", first_name=name.capitalize())
    if settings:
        RecipientSettings.objects.create(recipient=user, **settings)
    return user


def make_template(code, *, category="orders", required=False, contents=None, variables=None, priority=Priority.NORMAL):
    """Return a template with one published version."""
    category_row, _ = Category.objects.get_or_create(code=category, defaults={"name": category, "required": required})
    template = Template.objects.create(
        code=code,
        category=category_row,
        name=code,
        priority=priority,
        variables=variables or {"order_number": {"sample": "ORD-1", "required": True}},
    )
    publish_version(template, contents or CONTENTS)
    return template


def publish_version(template, contents):
    """Publish the next version of a template, with these contents: (channel, locale) → texts."""
    version = TemplateVersion.objects.create(
        template=template, number=template.versions.count() + 1, published_at=timezone.now()
    )
    for (channel, locale), texts in contents.items():
        TemplateContent.objects.create(version=version, channel=channel, locale=locale, **texts)
    template.live_version = version
    template.save()
    return version


def make_broadcast(template, **changes):
    """Return a broadcast; as if of a list, unless it has an audience."""
    now = changes.get("created_at") or timezone.now()
    state = BroadcastState.PENDING if changes.get("audience") else BroadcastState.EXPANDED
    fields = {"state": state, "created_at": now, "due_at": now, **changes}
    over = fields["state"] not in {BroadcastState.PENDING, BroadcastState.EXPANDING}
    return Broadcast.objects.create(**{"template": template, "finished_at": now if over else None, **fields})


def make_item(user, template, **changes):
    """Return an item of a user's inbox, new and unseen."""
    now = timezone.now()
    fields = {
        "event_id": ids.uuid7(),
        "recipient": user,
        "template": template,
        "category": template.category,
        "title": "Order ORD-1",
        "body": "We have it.",
        "created_at": now,
        "listed_at": now,
    }
    return Notification.objects.create(**{**fields, **changes})


def make_endpoint(user, channel="web_push", **changes):
    """Return an address that somebody registered, of its own."""
    number = Endpoint.objects.count()
    url = f"https://updates.push.services.mozilla.com/wpush/v2/{number}"
    address = {"endpoint": url, "keys": {"p256dh": "BN", "auth": "tB"}} if channel == "web_push" else {"url": url}
    fields = {"address": address, "address_hash": f"{number:064}", "created_at": timezone.now()}
    return Endpoint.objects.create(recipient=user, channel=channel, **{**fields, **changes})
