"""The keys of other services, on the pages of staff."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from notifications.models import ApiKey
from notifications.services import api_keys

FORM = {"name": "billing", "templates": ["ORDER_CREATED"], "may_publish": "on", "may_read": "on"}
KEY = re.compile(r"ntf_[a-z0-9]{12}_[A-Za-z0-9]{40}")


@pytest.fixture
def issued(template):
    return api_keys.issue("stock", now=timezone.now(), templates=["*"])


def test_a_new_key_is_shown_once_and_works(admin_client, admin_user, template, address):
    page = admin_client.post(address("apikey", "add"), FORM)

    (text,) = KEY.findall(page.text)
    key = api_keys.authenticate(text, now=timezone.now())
    assert key is not None
    assert (key.name, key.templates, key.created_by) == ("billing", ["ORDER_CREATED"], admin_user)
    assert "no-store" in page["Cache-Control"]
    assert text not in str(page.cookies)
    for view, args in (("changelist", ()), ("change", (key.pk,)), ("history", (key.pk,)), ("add", ())):
        shown = admin_client.get(address("apikey", view, *args)).text
        assert text.rpartition("_")[2] not in shown
        assert key.hash not in shown
    entry = LogEntry.objects.get()
    assert text.rpartition("_")[2] not in f"{entry} {entry.change_message} {entry.object_repr}"


@pytest.mark.parametrize("button", ["_save", "_continue", "_addanother"])
def test_whichever_button_was_pressed_the_key_is_shown(admin_client, template, address, button):
    assert KEY.search(admin_client.post(address("apikey", "add"), {**FORM, button: "1"}).text)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "\x00"},
        {"templates": ["NOTHING"]},
        {"expires_at_0": "2020-01-01", "expires_at_1": "12:00"},
    ],
    ids=str,
)
def test_a_form_that_makes_no_sense_is_shown_again(admin_client, template, address, change):
    page = admin_client.post(address("apikey", "add"), {**FORM, **change})

    assert page.status_code == 200
    assert not ApiKey.objects.exists()
    assert not KEY.search(page.text)


def test_what_it_may_do_can_be_changed_and_nothing_else(admin_client, issued, address):
    before = ApiKey.objects.values("prefix", "hash", "created_at").get()
    form = {**FORM, "hash": "0" * 64, "prefix": "x", "revoked_at_0": "2020-01-01", "revoked_at_1": "12:00"}

    admin_client.post(address("apikey", "change", issued.key.pk), form)

    assert ApiKey.objects.values("prefix", "hash", "created_at").get() == before
    key = ApiKey.objects.get()
    assert (key.name, key.templates, key.revoked_at) == ("billing", ["ORDER_CREATED"], None)


def test_an_expired_key_can_still_be_renamed(admin_client, issued, address):
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(days=1))
    form = {**FORM, "expires_at_0": "2020-01-01", "expires_at_1": "12:00"}

    admin_client.post(address("apikey", "change", issued.key.pk), form)

    assert ApiKey.objects.get().name == "billing"


def test_revoking_ends_them(admin_client, issued, address):
    data = {"action": "revoke", "_selected_action": [issued.key.pk]}

    page = admin_client.post(address("apikey", "changelist"), data, follow=True)

    assert "1 API key revoked." in page.text
    assert api_keys.authenticate(issued.text, now=timezone.now()) is None


def test_nobody_deletes_a_key(admin_client, issued, address):
    assert admin_client.post(address("apikey", "delete", issued.key.pk), {"post": "yes"}).status_code == 403

    data = {"action": "delete_selected", "_selected_action": [issued.key.pk], "post": "yes"}
    admin_client.post(address("apikey", "changelist"), data)

    assert ApiKey.objects.exists()


def test_who_may_only_look_makes_and_revokes_nothing(log_in, issued, address):
    client = log_in("view_apikey")

    assert client.get(address("apikey", "changelist")).status_code == 200
    assert client.post(address("apikey", "add"), FORM).status_code == 403
    client.post(address("apikey", "changelist"), {"action": "revoke", "_selected_action": [issued.key.pk]})
    assert list(ApiKey.objects.values_list("revoked_at", flat=True)) == [None]


def test_it_does_not_say_the_hash_to_who_filters_by_it(admin_client, issued, address):
    page = admin_client.get(address("apikey", "changelist"), {"hash__startswith": issued.key.hash[:1]}, follow=True)

    assert "something this list does not know" in page.text


def test_a_key_is_rotated_and_the_new_one_shown_once(admin_client, admin_user, issued, address):
    here = address("apikey", "rotate", issued.key.pk)
    assert here in admin_client.get(address("apikey", "change", issued.key.pk)).text
    assert admin_client.get(here).status_code == 200
    assert ApiKey.objects.count() == 1

    page = admin_client.post(here, {"overlap": "24"})

    (text,) = KEY.findall(page.text)
    now = timezone.now()
    key = api_keys.authenticate(text, now=now + timedelta(days=30))
    assert key is not None
    assert key.created_by == admin_user
    assert api_keys.authenticate(issued.text, now=now) == issued.key
    assert api_keys.authenticate(issued.text, now=now + timedelta(days=1, minutes=1)) is None
    said = " ".join(f"{entry} {entry.change_message}" for entry in LogEntry.objects.all())
    assert issued.key.prefix in said
    assert text.rpartition("_")[2] not in said
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("overlap", ["", "x", "99999", "-1"])
def test_an_overlap_there_is_not_rotates_nothing(admin_client, issued, address, overlap):
    page = admin_client.post(address("apikey", "rotate", issued.key.pk), {"overlap": overlap})

    assert page.status_code == 200
    assert ApiKey.objects.count() == 1


def test_what_is_revoked_is_not_rotated(admin_client, issued, address):
    ApiKey.objects.update(revoked_at=timezone.now())
    here = address("apikey", "rotate", issued.key.pk)

    assert here not in admin_client.get(address("apikey", "change", issued.key.pk)).text
    assert "make a new one" in admin_client.post(here, {"overlap": "0"}).text
    assert ApiKey.objects.count() == 1


def test_who_may_not_make_keys_rotates_none(log_in, issued, address):
    client = log_in("view_apikey", "change_apikey")

    assert client.post(address("apikey", "rotate", issued.key.pk), {"overlap": "0"}).status_code == 403
    assert ApiKey.objects.count() == 1


def test_a_key_there_is_not_is_not_found(admin_client, issued, address):
    assert admin_client.get(address("apikey", "rotate", 4711)).status_code == 404
