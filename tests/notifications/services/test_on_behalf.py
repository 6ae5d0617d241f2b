"""Staff who change something for somebody: with a note, in the history, in the journal."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from notifications.exceptions import WrongPreference
from notifications.models import ConsentChange, Preference, RecipientSettings
from notifications.services import on_behalf, personal, preferences
from notifications.services.preferences import Wish

NOW = timezone.now()
OFF = [Wish(category="orders", channel="sms", cadence="off")]


def test_the_note_is_in_the_history_and_in_the_journal(alice, admin_user, template):
    with on_behalf.acting(alice, by=admin_user, note="  She rang us. ") as origin:
        preferences.set_cadences(alice, OFF, now=NOW, origin=origin)
        personal.set_time_zone(alice, "Europe/Berlin", now=NOW, origin=origin)

    history = ConsentChange.objects.order_by("pk").values_list("subject", "after", "source", "changed_by", "note")
    assert list(history) == [
        ("category:orders", "off", "admin", admin_user.pk, "She rang us."),
        ("time_zone", "Europe/Berlin", "admin", admin_user.pk, "She rang us."),
    ]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(alice.pk))
    for said in ("She rang us.", "category:orders sms", "off", "Europe/Berlin"):
        assert said in entry.change_message


@pytest.mark.parametrize("note", ["", "  \n", "x" * 501])
def test_without_a_note_nothing_is_changed(alice, admin_user, template, note):
    with pytest.raises(WrongPreference) as error, on_behalf.acting(alice, by=admin_user, note=note) as origin:
        preferences.set_cadences(alice, OFF, now=NOW, origin=origin)

    assert error.value.field == "note"
    assert not Preference.objects.exists()


def test_what_changes_nothing_leaves_no_line(alice, admin_user, template):
    with on_behalf.acting(alice, by=admin_user, note="Nothing") as origin:
        personal.set_time_zone(alice, "", now=NOW, origin=origin)

    assert not LogEntry.objects.exists()
    assert not ConsentChange.objects.exists()


def test_what_is_required_cannot_be_switched_off_by_staff_either(alice, admin_user, template):
    template.category.required = True
    template.category.save()

    with (
        pytest.raises(WrongPreference, match="is required"),
        on_behalf.acting(alice, by=admin_user, note="Why") as origin,
    ):
        preferences.set_cadences(alice, OFF, now=NOW, origin=origin)

    assert not LogEntry.objects.exists()


def test_a_phone_is_changed_and_not_told(alice, admin_user):
    with on_behalf.acting(alice, by=admin_user, note="New phone") as origin:
        assert personal.set_phone(alice, "+4915550009999", now=NOW, origin=origin)

    assert RecipientSettings.objects.get(recipient=alice).phone == "+4915550009999"
    told = f"{ConsentChange.objects.values().get()} {LogEntry.objects.get().change_message}"
    assert "…001" in told
    assert "5550009999" not in told


def test_what_is_no_phone_is_refused(alice, admin_user):
    with pytest.raises(WrongPreference) as error, on_behalf.acting(alice, by=admin_user, note="New") as origin:
        personal.set_phone(alice, "030 12", now=NOW, origin=origin)

    assert error.value.field == "phone"
