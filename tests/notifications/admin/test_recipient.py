"""Users, how to reach them, and what they want to hear."""

from __future__ import annotations

import pytest
from django.db import connection
from django.urls import reverse

from notifications.models import Category, ConsentChange, Preference, RecipientSettings


def test_settings_are_found_by_the_beginning_of_a_name_or_address(admin_client, alice, bob, address):
    here = address("recipientsettings", "changelist")

    assert "1 recipient setting" in admin_client.get(here, {"q": "ali"}).text
    assert "1 recipient setting" in admin_client.get(here, {"q": "BOB@exam"}).text
    assert "0 recipient settings" in admin_client.get(here, {"q": "nobody"}).text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"phone": "030 123456"}, "Use the international form"),
        ({"locale": "german!"}, "Write the language as de or de-AT"),
        ({"time_zone": "Europe/Berln"}, "did you mean &#x27;Europe/Berlin&#x27;?"),
        ({"time_zone": "../etc/passwd"}, "No time zone"),
        ({"quiet_hours": '{"monday": []}'}, "No weekday &#x27;monday&#x27; in quiet hours"),
        ({"quiet_hours": "{"}, "Enter a valid JSON."),
    ],
)
def test_settings_the_system_could_not_read_are_refused(admin_client, alice, address, wrong, message):
    page = admin_client.post(address("recipientsettings", "change", alice.pk), wrong)

    assert message in page.text
    assert RecipientSettings.objects.get(recipient=alice).phone == "+4915550001001"


def test_whose_settings_they_are_is_never_changed(admin_client, alice, charlie, address):
    admin_client.post(address("recipientsettings", "change", alice.pk), {"recipient": charlie.pk, "locale": "de"})

    assert list(RecipientSettings.objects.values_list("recipient", "locale")) == [(alice.pk, "de")]


def test_a_user_is_edited_with_the_settings_below(admin_client, charlie):
    here = reverse("admin:auth_user_change", args=[charlie.pk])
    page = admin_client.get(here)
    form = page.context["adminform"].form
    data = {name: form.initial[name] or "" for name in ("username", "email", "first_name", "last_name")}
    data |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00", "is_active": "on"}
    prefix = "notification_settings"
    data |= {f"{prefix}-TOTAL_FORMS": 1, f"{prefix}-INITIAL_FORMS": 0, f"{prefix}-0-recipient": charlie.pk}

    answer = admin_client.post(here, {**data, f"{prefix}-0-phone": "+4915550001003"})

    assert answer.status_code == 302
    assert RecipientSettings.objects.get(recipient=charlie).phone == "+4915550001003"


def test_a_new_user_is_added_as_ever(admin_client):
    page = admin_client.get(reverse("admin:auth_user_add"))

    assert page.status_code == 200
    assert "time_zone" not in page.text


def preference(person, **changes):
    return {"recipient": person.pk, "category": "orders", "channel": "email", "cadence": "off", **changes}


def test_a_preference_is_added(admin_client, alice, template, address):
    answer = admin_client.post(address("preference", "add"), preference(alice))

    assert answer.status_code == 302
    assert Preference.objects.get().cadence == "off"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"template": "ORDER_CREATED"}, "Choose a category or a template, not both."),
        ({"category": ""}, "Choose a category or a template, not both."),
        ({"recipient": "x"}, "Select a valid choice."),
        ({"recipient": "9" * 400}, "Select a valid choice."),
        ({"recipient": "9" * 40}, "Select a valid choice."),
        ({"template": "A\x00"}, "Null characters are not allowed."),
        ({"category": "", "template": "NOTHING"}, "Select a valid choice."),
    ],
)
def test_a_preference_that_means_nothing_is_refused(admin_client, alice, template, address, changes, message):
    page = admin_client.post(address("preference", "add"), preference(alice, **changes))

    assert message in page.text
    assert not Preference.objects.exists()


@pytest.mark.parametrize("target", [{}, {"category": "", "template": "ORDER_CREATED"}], ids=["category", "template"])
def test_what_is_required_cannot_be_switched_off(admin_client, alice, template, address, target):
    Category.objects.update(required=True)

    page = admin_client.post(address("preference", "add"), preference(alice, **target))

    assert "is required: nobody can switch it off" in page.text


def test_the_same_wish_twice_is_refused(admin_client, alice, template, address):
    admin_client.post(address("preference", "add"), preference(alice))

    page = admin_client.post(address("preference", "add"), preference(alice, cadence="immediately"))

    assert page.status_code == 200
    assert Preference.objects.get().cadence == "off"


def test_every_change_of_a_wish_is_in_the_history_with_who_did_it(admin_client, admin_user, alice, template, address):
    admin_client.post(address("preference", "add"), preference(alice))
    row = Preference.objects.get()
    page = admin_client.get(address("preference", "change", row.pk))
    assert 'name="channel"' not in page.text
    admin_client.post(address("preference", "change", row.pk), {"cadence": "daily"})
    admin_client.post(address("preference", "delete", row.pk), {"post": "yes"})

    assert not Preference.objects.exists()
    changes = ConsentChange.objects.order_by("id")
    assert [(row.channel, row.before, row.after) for row in changes] == [
        ("email", "", "off"),
        ("email", "off", "daily"),
        ("email", "daily", ""),
    ]
    assert {(row.recipient, row.source, row.changed_by) for row in changes} == {(alice, "admin", admin_user)}
    assert "3 consent changes" in admin_client.get(address("consentchange", "changelist"), {"q": "alice"}).text
    assert (
        "3 consent changes" in admin_client.get(address("consentchange", "changelist"), {"q": "category:orders"}).text
    )


def test_hours_and_zone_are_written_with_their_history(admin_client, alice, address):
    fields = {"phone": "+4915550001001", "time_zone": "Europe/Berlin", "quiet_hours": '{"mon": ["22:00-07:00"]}'}
    admin_client.post(address("recipientsettings", "change", alice.pk), fields)

    row = RecipientSettings.objects.get(recipient=alice)
    assert (row.time_zone, row.quiet_hours) == ("Europe/Berlin", {"mon": ["22:00-07:00"]})
    changes = ConsentChange.objects.order_by("id").values_list("subject", "before", "after")
    assert list(changes) == [
        ("time_zone", "", "Europe/Berlin"),
        ("quiet_hours", "", '{"mon": ["22:00-07:00"]}'),
    ]


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
