"""Preferences and settings by forms."""

from __future__ import annotations

import pytest

from notifications.models import ConsentChange, Preference, RecipientSettings
from tests.factories import make_template
from tests.notifications.pages.asking import PREFERENCES, SETTINGS, text, told

EMPTY = {"time_zone": "", "locale": "", "from": "", "to": ""}


def settings_of(user):
    return RecipientSettings.objects.get(recipient=user)


def test_a_wish_is_written_and_taken_back(browser, alice, template):
    answer = browser.post(PREFERENCES, {"category:orders:email": "daily", "category:orders:sms": ""})
    assert answer["Location"] == PREFERENCES
    assert told(answer) == ["Saved"]
    assert Preference.objects.values_list("recipient", "category", "channel", "cadence").get() == (
        alice.pk, "orders", "email", "daily",
    )  # fmt: skip
    assert '<option value="daily" selected>' in text(browser.get(PREFERENCES))

    browser.post(PREFERENCES, {"category:orders:email": ""})

    assert not Preference.objects.exists()
    assert list(ConsentChange.objects.order_by("pk").values_list("source", "before", "after")) == [
        ("api", "", "daily"),
        ("api", "daily", ""),
    ]


def test_the_page_saved_as_it_is_changes_nothing(browser, alice, template):
    Preference.objects.create(recipient=alice, template=template, channel="email", cadence="off")
    fields = [field for row in browser.get(PREFERENCES).context["rows"] for field in row["fields"]]

    browser.post(PREFERENCES, {field["name"]: field["value"] for field in fields if not field["is_locked"]})

    assert Preference.objects.get().cadence == "off"
    assert not ConsentChange.objects.exists()


def test_a_required_category_is_locked_and_says_why(browser, alice):
    make_template("SECURITY", category="security", required=True)

    page = text(browser.get(PREFERENCES))
    answer = browser.post(PREFERENCES, {"category:security:email": "off"})

    assert 'name="category:security' not in page
    assert "Always on" in page
    assert answer.status_code == 400
    assert "nobody can switch it off" in text(answer)
    assert not Preference.objects.exists()


def test_settings_are_written_together(browser, alice, template):
    form = {"time_zone": "Europe/Berlin", "locale": "de", "from": "22:00", "to": "07:00"}

    assert browser.post(SETTINGS, form)["Location"] == PREFERENCES

    own = settings_of(alice)
    assert (own.time_zone, own.locale, own.quiet_hours) == ("Europe/Berlin", "de", {"daily": ["22:00-07:00"]})
    assert 'name="from" value="22:00"' in text(browser.get(PREFERENCES))

    browser.post(SETTINGS, EMPTY)

    assert settings_of(alice).quiet_hours == {}


def test_what_was_typed_is_still_there_beside_the_error(browser, alice, template):
    page = text(browser.post(SETTINGS, {**EMPTY, "from": "22:00", "time_zone": "Europe/Berlin"}))

    assert 'role="alert"' in page
    assert 'name="from" value="22:00"' in page
    assert '<option value="Europe/Berlin" selected>' in page


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ({}, {"mon": ["22:00-07:00"], "sat": ["00:00-10:00", "22:00-24:00"]}),
        ({"no_quiet_hours": "1"}, {}),
        ({"from": "21:00", "to": "06:00"}, {"daily": ["21:00-06:00"]}),
    ],
    ids=["left alone", "none", "replaced"],
)
def test_a_week_that_was_written_elsewhere_is_shown_and_kept(browser, alice, template, form, written):
    hours = {"mon": ["22:00-07:00"], "sat": ["00:00-10:00", "22:00-24:00"]}
    RecipientSettings.objects.update(quiet_hours=hours)
    assert "Saturday: 00:00-10:00, 22:00-24:00" in text(browser.get(PREFERENCES))

    browser.post(SETTINGS, {**EMPTY, **form})

    assert settings_of(alice).quiet_hours == written


def test_one_span_until_midnight_is_shown_as_one(browser, alice, template):
    RecipientSettings.objects.update(quiet_hours={"daily": ["20:00-24:00"]})

    assert 'name="to" value="00:00"' in text(browser.get(PREFERENCES))


def test_the_number_of_queries_does_not_grow(browser, alice, template, django_assert_max_num_queries):
    for number in range(10):
        make_template(f"T{number}", category=f"c{number}")

    with django_assert_max_num_queries(10):
        browser.get(PREFERENCES)


def test_push_is_offered_only_where_browsers_can_subscribe(browser, alice, template, settings):
    assert "data-notification-push" not in text(browser.get(PREFERENCES))

    options = {"private_key": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "subject": "mailto:push@shop.example"}
    push = {"BACKEND": "notifications.channels.web_push.WebPushChannel", "OPTIONS": options}
    settings.NOTIFICATION_CHANNELS = {**settings.NOTIFICATION_CHANNELS, "web_push": push}
    page = text(browser.get(PREFERENCES))

    assert 'data-notification-push data-api="/api/notifications/"' in page
    assert 'data-labels="{}"' in page
    assert page.count("notification-push-page.js") == 1
    assert options["private_key"] not in page
    RecipientSettings.objects.update(locale="de")
    assert '"push_on": "Push auf diesem Gerät einschalten"' in text(browser.get(PREFERENCES))
