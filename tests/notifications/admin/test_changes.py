"""Every change made in the admin is in its log, from what to what."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from notifications.models import Category
from notifications.types import QuietPolicy


def latest():
    return LogEntry.objects.order_by("-pk").values_list("change_message", flat=True)[0]


def test_a_change_is_told_with_the_values(admin_client, template, address):
    form = {
        "name": "Orders & more",
        "description": "x" * 100,
        "defaults": "{}",
        "quiet_hours": QuietPolicy.NOTHING.value,
    }

    admin_client.post(address("category", "change", "orders"), form)

    assert Category.objects.get().name == "Orders & more"
    entry = LogEntry.objects.get()
    assert "name: orders → Orders & more" in entry.get_change_message()
    assert f"description: - → {'x' * 60}…" in entry.get_change_message()
    page = admin_client.get(address("category", "history", "orders"))
    assert "name: orders → Orders &amp; more" in page.text


def test_of_a_choice_of_many_the_difference_is_told(admin_client):
    group = Group.objects.create(name="Mine")
    old, new = Permission.objects.filter(codename__in=["view_event", "view_delivery"]).order_by("codename")
    group.permissions.add(old)

    admin_client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "Mine", "permissions": [new.pk]})

    assert f"permissions: {old} → {new}"[:40] in LogEntry.objects.get().get_change_message()


def test_what_stands_below_is_told_too(admin_client, draft, address, fill):
    form = fill(draft, {("email", ""): {"title": "Another subject"}, ("sms", ""): None, ("sms", "de"): {"body": "Neu"}})

    admin_client.post(address("templateversion", "change", draft.pk), form)

    told = LogEntry.objects.get().get_change_message()
    assert "→ Another subject" in told
    assert "Deleted" in told
    assert "Added" in told


def test_a_new_row_and_one_that_is_gone(admin_client, address):
    admin_client.post(
        address("category", "add"),
        {"code": "new", "name": "New", "description": "", "defaults": "{}", "quiet_hours": QuietPolicy.NOTHING.value},
    )
    admin_client.post(address("category", "delete", "new"), {"post": "yes"})

    assert list(LogEntry.objects.order_by("pk").values_list("object_repr", "action_flag")) == [("New", 1), ("New", 3)]


def test_a_password_is_not_told(admin_client, alice):
    address = reverse("admin:auth_user_password_change", args=[alice.pk])

    admin_client.post(address, {"password1": "sehr geheim 1", "password2": "sehr geheim 1", "usable_password": "true"})

    alice.refresh_from_db()
    assert alice.check_password("sehr geheim 1")
    assert "geheim" not in latest()
    assert "password: ••• → •••" in LogEntry.objects.get().get_change_message()
