"""Time zone, language and quiet hours over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from notifications.models import ConsentChange, Delivery, RecipientSettings
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.types import DeliveryState, Priority
from tests.notifications.api.asking import URL
from tests.threads import at_once

SETTINGS = f"{URL}settings/"
LOCALES = [{"name": "en", "label": "English"}, {"name": "de", "label": "Deutsch"}]
ALL = {"time_zone": "Europe/Berlin", "locale": "de", "quiet_hours": {"daily": ["22:00-07:00"]}}


def change(client, data, **headers):
    return client.patch(SETTINGS, data, content_type="application/json", headers=headers)


def test_who_has_set_nothing_has_the_sites(client_of, charlie):
    shown = client_of(charlie).get(SETTINGS)

    assert shown.json() == {"time_zone": "", "locale": "", "quiet_hours": {}, "locales": LOCALES}
    assert not RecipientSettings.objects.filter(recipient=charlie).exists()


def test_what_is_set_is_kept_shown_and_noted(browser, alice):
    answer = change(browser, ALL)

    assert answer.status_code == 200
    assert answer.json() == browser.get(SETTINGS).json() == {**ALL, "locales": LOCALES}
    lines = ConsentChange.objects.filter(recipient=alice, changed_by=alice, source="api")
    assert set(lines.values_list("subject", "before", "after")) == {
        ("time_zone", "", "Europe/Berlin"),
        ("locale", "", "de"),
        ("quiet_hours", "", '{"daily": ["22:00-07:00"]}'),
    }


def test_nobody_sees_the_phone(browser):
    assert "4915550001001" not in browser.get(SETTINGS).content.decode()


def test_what_is_left_out_stays_and_what_is_empty_is_taken_back(browser):
    change(browser, ALL)

    assert change(browser, {"locale": ""}).json() == {**ALL, "locale": "", "locales": LOCALES}
    change(browser, {"time_zone": "", "quiet_hours": {}})

    assert browser.get(SETTINGS).json()["quiet_hours"] == {}


def test_what_is_set_again_leaves_no_line(browser):
    change(browser, ALL)
    change(browser, ALL)

    assert ConsentChange.objects.count() == 3


@pytest.mark.parametrize(
    ("wrong", "pointer", "word"),
    [
        ({"time_zone": "Europe/Berln"}, "#/time_zone", "'Europe/Berlin'"),
        ({"time_zone": "../../etc/passwd"}, "#/time_zone", "No time zone"),
        ({"time_zone": None}, "#/time_zone", "null"),
        ({"locale": "fr"}, "#/locale", "en, de"),
        ({"locale": "de-AT"}, "#/locale", "'de-AT'"),
        ({"quiet_hours": {"sat": ["22:00-25:00"]}}, "#/quiet_hours", "of sat: cannot read '22:00-25:00'"),
        ({"quiet_hours": {"sta": []}}, "#/quiet_hours", "'sat'"),
        ({"quiet_hours": {"daily": ["00:00-24:00"]}}, "#/quiet_hours", "whole week"),
        ({"quiet_hours": {"mon": ["22:00-23:00"] * 11}}, "#/quiet_hours", "of mon have 11"),
        ({"quiet_hours": {"mon": "22:00-23:00"}}, "#/quiet_hours/mon", "list"),
        ({"quiet_hours": {"mon": [{}]}}, "#/quiet_hours/mon/0", "string"),
        ({"quiet_hours": ["22:00-23:00"]}, "#/quiet_hours", "dictionary"),
        ({"phone": "+4930123456"}, "#/phone", "Unknown"),
        ({"recipient": 1}, "#/recipient", "Unknown"),
    ],
)
def test_one_wrong_setting_and_none_is_changed(browser, alice, wrong, pointer, word):
    answer = change(browser, {**ALL, **wrong})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert word in error["detail"]
    row = RecipientSettings.objects.get(recipient=alice)
    assert (row.time_zone, row.locale, row.quiet_hours) == ("", "", {})
    assert not ConsentChange.objects.exists()


def test_all_that_is_wrong_is_named_at_once(browser):
    answer = change(browser, {"time_zone": "x", "locale": "x", "quiet_hours": {"x": []}})

    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/time_zone", "#/locale", "#/quiet_hours"]


def test_what_is_wrong_is_said_in_the_readers_language(browser):
    answer = change(browser, {"quiet_hours": {"sat": ["x"]}}, **{"accept-language": "de"})

    assert (
        answer.json()["detail"]
        == "Ruhezeit von sat: 'x' ist nicht zu lesen. Schreiben Sie 22:00-07:00, bis höchstens 24:00."
    )


@pytest.mark.parametrize("body", [{}, [], None, "x"])
def test_a_body_that_changes_nothing_is_400(browser, body):
    assert change(browser, body).status_code == 400


def test_my_settings_are_mine(browser, client_of, charlie):
    change(client_of(charlie), ALL)

    assert browser.get(SETTINGS).json()["time_zone"] == ""


@pytest.mark.parametrize("method", ["get", "patch"])
def test_nobody_has_no_settings(client, db, method):
    assert getattr(client, method)(SETTINGS).status_code == 403


def test_only_other_hours_wake_what_waits_for_the_former(browser, alice, template):
    night = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    change(browser, {"quiet_hours": {"daily": ["00:00-07:00"]}})
    with time_machine.travel(night, tick=False):
        browser.force_login(alice)
        publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"}, channels=["email"])
        dispatch_batch(Priority.LOW, more=lambda: None)
        waiting = Delivery.objects.get(state=DeliveryState.PENDING)
        assert waiting.due_at > night

        change(browser, {"locale": "de"})
        assert Delivery.objects.get().due_at == waiting.due_at

        change(browser, {"quiet_hours": {}})
        assert Delivery.objects.get().due_at == night


@pytest.mark.django_db(transaction=True)
def test_settings_that_meet_are_made_one_after_the_other(charlie, client_of):
    zones = ["Europe/Berlin", "Europe/Vienna", "America/New_York", "Asia/Tokyo"]
    clients = [client_of(charlie) for _ in zones]
    answers: list[int] = []

    at_once(
        *[
            lambda a=a, zone=zone: answers.append(change(a, {"time_zone": zone}).status_code)
            for a, zone in zip(clients, zones, strict=True)
        ]
    )

    assert answers == [200] * 4
    lines = list(ConsentChange.objects.order_by("id").values_list("before", "after"))
    assert [before for before, _ in lines] == ["", *[after for _, after in lines[:-1]]]
