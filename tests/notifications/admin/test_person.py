"""The page of one person: what they want, changed on their behalf, with a note."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone

from notifications.models import (
    Category,
    ConsentChange,
    Delivery,
    Endpoint,
    Mute,
    Preference,
    RecipientSettings,
    Suppression,
)
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.types import Reason, SuppressionSource
from tests.factories import make_endpoint

NOTE = {"note": "She rang us."}


def page_of(user):
    return reverse("admin:notifications_person", args=[user.pk])


@pytest.fixture
def act(admin_client, alice, template):
    """Return a function that does something on Alice's behalf."""

    def act(do, note="She rang us.", **data):
        return admin_client.post(page_of(alice), {"do": do, "note": note, **data})

    return act


@pytest.fixture
def may(db):
    """Make sure a permission exists."""

    def may(codename):
        kind = ContentType.objects.get_for_model(RecipientSettings)
        Permission.objects.get_or_create(codename=codename, content_type=kind, defaults={"name": codename})
        return codename

    return may


def test_the_matrix_says_who_decided(admin_client, alice, template):
    Preference.objects.create(recipient=alice, category_id="orders", channel="sms", cadence="off")

    page = admin_client.get(page_of(alice)).text

    assert "the recipient&#x27;s wish for the category" in page
    assert "the default of the category" in page
    assert "a***@example.com" in page


def test_wishes_are_changed_with_a_note_that_stands_in_the_history(act, admin_client, admin_user, alice):
    answer = act("wishes", **{"category:orders:email": "daily", "category:orders:sms": ""})

    assert answer.status_code == 302
    assert list(Preference.objects.values_list("category", "channel", "cadence")) == [("orders", "email", "daily")]
    line = ConsentChange.objects.get()
    assert (line.changed_by, line.source, line.note) == (admin_user, "admin", "She rang us.")
    assert "She rang us." in admin_client.get(page_of(alice)).text
    assert "She rang us." in LogEntry.objects.get().change_message


def test_what_was_not_touched_stays(act, alice):
    Preference.objects.create(recipient=alice, category_id="orders", channel="sms", cadence="off")

    act("wishes", **{"category:orders:sms": "off", "category:orders:email": "hourly"})

    assert dict(Preference.objects.values_list("channel", "cadence")) == {"sms": "off", "email": "hourly"}
    assert ConsentChange.objects.count() == 1


def test_a_wish_for_one_kind_of_message_is_added_and_taken_back(act):
    act("wishes", more_template="ORDER_CREATED", more_channel="email", more_cadence="off")
    assert Preference.objects.get().template_id == "ORDER_CREATED"

    act("wishes", **{"template:ORDER_CREATED:email": ""})

    assert not Preference.objects.exists()


@pytest.mark.parametrize("do", ["wishes", "settings", "mute", "unmute", "remove", "lift"])
@pytest.mark.parametrize("note", ["", "  "])
def test_without_a_note_nothing_is_changed(act, alice, do, note):
    Mute.objects.create(recipient=alice, about="orders.order:42", created_at=timezone.now())
    data = {"category:orders:email": "off", "time_zone": "Europe/Berlin", "about": "orders.order:43"}

    page = act(do, note=note, row=Mute.objects.get().pk, **data)

    assert page.status_code == 400
    assert "This field is required." in page.text
    assert not ConsentChange.objects.exists()
    assert Mute.objects.count() == 1


def test_what_is_required_is_shown_as_such_and_cannot_be_switched_off(act, admin_client, alice):
    Category.objects.update(required=True)
    assert "category:orders:email" not in admin_client.get(page_of(alice)).text

    act("wishes", **{"category:orders:email": "off"})
    page = act("wishes", more_template="ORDER_CREATED", more_channel="email", more_cadence="off")

    assert "is required: nobody can switch it off" in page.text
    assert not Preference.objects.exists()


def test_half_a_wish_is_refused(act):
    assert "or none of them" in act("wishes", more_template="ORDER_CREATED").text


def test_settings_are_written_all_or_none(act, alice):
    data = {"phone": "+4915550009999", "locale": "de", "time_zone": "Europe/Berlin", "quiet_hours": "{}"}
    page = act("settings", **{**data, "time_zone": "Europe/Berln"})
    assert "did you mean &#x27;Europe/Berlin&#x27;" in page.text
    assert RecipientSettings.objects.get(recipient=alice).phone == "+4915550001001"

    assert act("settings", **data).status_code == 302

    own = RecipientSettings.objects.get(recipient=alice)
    assert (own.phone, own.locale, own.time_zone) == ("+4915550009999", "de", "Europe/Berlin")
    assert {line.subject for line in ConsentChange.objects.all()} == {"phone", "locale", "time_zone"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"phone": "030 123456"}, "Use the international form"),
        ({"locale": "german!"}, "Select a valid choice"),
        ({"time_zone": "../etc/passwd"}, "time zone"),
        ({"quiet_hours": '{"monday": []}'}, "No weekday &#x27;monday&#x27; in quiet hours"),
        ({"quiet_hours": "{"}, "Enter a valid JSON."),
        ({"quiet_hours": "7"}, "errorlist"),
        ({"phone": "\x00"}, "Null characters are not allowed."),
    ],
    ids=repr,
)
def test_settings_the_system_could_not_read_are_refused_at_the_field(act, alice, wrong, message):
    page = act("settings", **{"phone": "+4915550001001", "quiet_hours": "{}", **wrong})

    assert page.status_code == 400
    assert message in page.text
    assert not ConsentChange.objects.exists()


def test_a_language_of_business_code_is_kept(admin_client, bob, template):
    data = {"do": "settings", "phone": "", "locale": "de-AT", "time_zone": "Europe/Vienna", "quiet_hours": "{}", **NOTE}

    assert admin_client.post(page_of(bob), data).status_code == 302
    assert RecipientSettings.objects.get(recipient=bob).locale == "de-AT"


def test_what_is_muted_is_unmuted_and_the_other_way_round(act):
    act("mute", about="orders.order:42")
    row = Mute.objects.get()
    act("unmute", row=row.pk)

    assert not Mute.objects.exists()
    assert [line.after for line in ConsentChange.objects.order_by("pk")] == ["muted", ""]


def test_an_endpoint_is_removed(act, alice):
    row = make_endpoint(alice, label="Laptop")

    act("remove", row=row.pk.hex)

    assert not Endpoint.objects.exists()
    assert ConsentChange.objects.get().note == "She rang us."


@pytest.mark.parametrize("do", ["unmute", "remove", "lift"])
@pytest.mark.parametrize("row", ["", "x", "0", "9" * 40, "\x00", "bobs"])
def test_rows_of_others_and_of_nobody_are_not_touched(act, bob, do, row):
    Mute.objects.create(recipient=bob, about="orders.order:42", created_at=timezone.now())
    endpoint = make_endpoint(bob)
    suppress(
        [Unusable(channel="email", address=bob.email, reason=Reason.HARD_BOUNCE)],
        source=SuppressionSource.STAFF,
        now=timezone.now(),
    )
    bobs = {"unmute": Mute.objects.get().pk, "remove": endpoint.pk, "lift": Suppression.objects.get().pk}

    assert act(do, row=bobs[do] if row == "bobs" else row).status_code == 400

    assert Mute.objects.exists()
    assert Endpoint.objects.exists()
    assert Suppression.objects.get().lifted_at is None


def test_a_suppression_is_shown_with_its_cause_and_lifted_with_a_reason(act, admin_client, admin_user, alice):
    now = timezone.now()
    culprit = Delivery.objects.create(
        recipient=alice,
        channel="email",
        address=alice.email,
        created_at=now,
        due_at=now,
        finished_at=now,
        state="failed",
    )
    found = Unusable(channel="email", address=alice.email, reason=Reason.HARD_BOUNCE, code="5.1.1", recipient=alice.pk)
    suppress([found], source=SuppressionSource.ADAPTER, now=now + timedelta(seconds=1))
    page = admin_client.get(page_of(alice)).text
    assert "5.1.1" in page
    assert reverse("admin:notifications_delivery_change", args=[culprit.pk]) in page.replace("_2D", "-")

    act("lift", row=Suppression.objects.get().pk.hex)

    row = Suppression.objects.get()
    assert (row.lifted_by, row.lift_reason) == (admin_user, "She rang us.")
    assert LogEntry.objects.get().object_id == str(row.pk)


@pytest.mark.parametrize("pk", ["x", "0", "9" * 40, "-1"])
def test_nobody_has_no_page(admin_client, pk):
    assert admin_client.get(f"/admin/notifications/recipientsettings/people/{pk}/").status_code == 404


def test_an_unknown_deed_is_not_found(act):
    assert act("explode").status_code == 404


def test_looking_changes_nothing(admin_client, charlie):
    admin_client.get(page_of(charlie))

    assert not RecipientSettings.objects.filter(recipient=charlie).exists()
    assert not LogEntry.objects.exists()


def test_who_may_only_look_sees_no_form_and_changes_nothing(log_in, may, alice, template):
    client = log_in("view_recipientsettings")

    page = client.get(page_of(alice))
    assert page.status_code == 200
    for hidden in ('name="note"', "+4915550001001", "alice@example.com", "Erase"):
        assert hidden not in page.text
    assert client.post(page_of(alice), {"do": "mute", "about": "a:1", **NOTE}).status_code == 403
    assert not Mute.objects.exists()


def test_who_may_help_may_not_erase(log_in, may, alice, template):
    client = log_in("view_recipientsettings", may("act_for_recipient"))

    assert client.post(page_of(alice), {"do": "mute", "about": "a:1", **NOTE}).status_code == 302
    for name in ("export", "erase"):
        assert client.post(reverse(f"admin:notifications_{name}", args=[alice.pk])).status_code == 403


@pytest.mark.parametrize("name", ["people", "why"])
def test_the_way_in_is_not_for_everybody_of_the_staff(log_in, name):
    assert log_in("view_template").get(reverse(f"admin:notifications_{name}")).status_code == 403


def test_a_person_is_found_by_name_or_told_to_be_unknown(admin_client, alice):
    here = reverse("admin:notifications_people")

    assert admin_client.get(here).status_code == 200
    assert admin_client.get(here, {"q": "Alice@Example.com"}).url == page_of(alice)
    assert "did you mean &#x27;alice&#x27;" in admin_client.get(here, {"q": "alcie"}).text
    assert "No user" in admin_client.get(here, {"q": "\x00"}).text


def test_the_page_does_not_ask_more_for_more_rows(admin_client, alice, template, django_assert_max_num_queries):
    for number in range(30):
        ConsentChange.objects.create(
            recipient=alice, subject=f"about:{number}", source="api", changed_at=timezone.now(), changed_by=alice
        )
        Mute.objects.create(recipient=alice, about=f"o:{number}", created_at=timezone.now())

    with django_assert_max_num_queries(30):
        admin_client.get(page_of(alice))
