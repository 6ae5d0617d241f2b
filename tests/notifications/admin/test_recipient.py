"""Users, how to reach them, and what they want to hear."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from notifications.models import ConsentChange, Mute, Preference


@pytest.mark.parametrize("model", ["recipientsettings", "preference", "mute", "consentchange"])
def test_rows_are_found_by_whose_they_are_and_changed_on_their_page_only(
    admin_client, alice, bob, template, address, model
):
    if model != "recipientsettings":
        ROWS[model](alice)
    here = address(model, "changelist")

    page = admin_client.get(here, {"q": "ALICE@example.com"}).text
    assert reverse("admin:notifications_person", args=[alice.pk]) in page
    assert reverse("admin:notifications_person", args=[bob.pk]) not in page
    assert reverse("admin:notifications_person", args=[alice.pk]) not in admin_client.get(here, {"q": "alic"}).text
    assert admin_client.post(address(model, "add"), {}).status_code == 403
    pk = apps.get_model("notifications", model).objects.get(recipient=alice).pk
    assert admin_client.get(address(model, "change", pk)).status_code == 200
    for view in ("change", "delete"):
        assert admin_client.post(address(model, view, pk), {"post": "yes"}).status_code == 403


ROWS = {
    "preference": lambda person: Preference.objects.create(recipient=person, category_id="orders", channel="sms"),
    "mute": lambda person: Mute.objects.create(recipient=person, about="orders.order:42", created_at=timezone.now()),
    "consentchange": lambda person: ConsentChange.objects.create(
        recipient=person, subject="quiet_hours", source="api", changed_at=timezone.now()
    ),
}


def test_a_phone_is_masked_in_the_list(admin_client, alice, address):
    page = admin_client.get(address("recipientsettings", "changelist")).text

    assert "+49***01" in page
    assert "+4915550001001" not in page


def test_the_page_of_a_user_leads_to_what_they_are_told(admin_client, log_in, alice):
    here = reverse("admin:auth_user_change", args=[alice.pk])
    there = reverse("admin:notifications_person", args=[alice.pk])

    assert there in admin_client.get(here).text
    assert there not in log_in("view_user").get(here).text


def test_a_new_user_is_added_as_ever(admin_client):
    page = admin_client.get(reverse("admin:auth_user_add"))

    assert page.status_code == 200
    assert "time_zone" not in page.text


def test_the_list_does_not_read_more_for_more_rows(
    admin_client, alice, bob, template, address, django_assert_num_queries
):
    Preference.objects.create(recipient=alice, category_id="orders", channel="email")
    here = address("preference", "changelist")
    # PostgreSQL is told how long the list may take, and is told so no longer after it.
    with django_assert_num_queries(10 if connection.vendor == "postgresql" else 6) as before:
        admin_client.get(here)
    for person in (alice, bob):
        for channel in ("sms", "in_app", "chat"):
            Preference.objects.create(recipient=person, template=template, channel=channel)

    with django_assert_num_queries(len(before)):
        page = admin_client.get(here)

    assert "7 preferences" in page.text
