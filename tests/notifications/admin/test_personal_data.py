"""Exporting and erasing, on the pages of staff."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from notifications.admin import personal_data as pages
from notifications.models import Delivery, Erasure, Notification
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.types import Priority

FORM = {"name": "alice", "note": "Ticket 7"}


@pytest.fixture(autouse=True)
def told(alice, template):
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-1"})
    dispatch_batch(Priority.LOW, more=lambda: None)


@pytest.fixture
def page(alice):
    def page(name):
        return reverse(f"admin:notifications_{name}", args=[alice.pk])

    return page


def test_an_export_is_a_file_and_noted(admin_client, admin_user, alice, page):
    answer = admin_client.post(page("export"))

    told = json.loads(answer.getvalue())
    assert told["notification"][0]["title"] == "Order ORD-1"
    assert f'filename="user-{alice.pk}.json"' in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(alice.pk))


def test_looking_exports_and_erases_nothing(admin_client, page):
    assert admin_client.get(page("export")).status_code == 405
    assert admin_client.get(page("erase")).status_code == 200

    assert Notification.objects.exists()
    assert not LogEntry.objects.exists()


def test_an_asynchronous_server_sends_it_part_by_part():
    taken = []

    def parts():
        for part in "abc":
            taken.append(part)
            yield part

    async def first():
        return await anext(pages._one_by_one(parts()))

    assert asyncio.run(first()) == "a"
    assert taken == ["a"]


def test_who_types_another_name_erases_nothing(admin_client, page):
    for wrong in ({"name": "Alice"}, {"name": ""}, {"note": " "}):
        answer = admin_client.post(page("erase"), {**FORM, **wrong})
        assert answer.status_code == 400
        assert "errorlist" in answer.text

    assert Notification.objects.exists()
    assert not Erasure.objects.exists()


def test_erasing_says_what_went_and_who_did_it(admin_client, admin_user, alice, page):
    answer = admin_client.post(page("erase"), FORM, follow=True)

    assert "Everything is erased." in answer.text
    assert not Notification.objects.exists()
    row = Erasure.objects.get()
    assert (row.requested_by, row.note, row.counts["notifications"]) == (admin_user, "Ticket 7", 1)
    assert LogEntry.objects.get().object_id == str(row.pk)


def test_what_takes_longer_is_left_to_the_workers(admin_client, page):
    Delivery.objects.filter(channel="email").update(
        state="sending", lease_token="0" * 32, lease_until="2100-01-01T00:00:00Z"
    )

    answer = admin_client.post(page("erase"), FORM, follow=True)
    assert "It is under way." in answer.text
    assert 'http-equiv="refresh"' in answer.text

    assert "This is under way already." in admin_client.post(page("erase"), FORM, follow=True).text


@pytest.mark.parametrize("name", ["export", "erase"])
def test_without_the_token_of_the_form_nothing_is_done(alice, admin_user, page, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    assert client.post(page(name), FORM).status_code == 403
    assert Notification.objects.exists()
