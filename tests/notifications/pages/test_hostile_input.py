"""Whoever comes with somebody else's ids, or with nonsense, gets a page that says so; nothing is written."""

from __future__ import annotations

import pytest

from notifications.models import ConsentChange, Notification, Preference, RecipientSettings
from tests.notifications.pages.asking import NOBODY, PREFERENCES, SETTINGS, URL, do, text

FORMS = [
    {"mark": "read"}, {"mark": "unread"}, {"mark": "archived"}, {"mark": "unarchived"}, {"snooze": "tomorrow"},
    {"snooze": "end"}, {"hide": "1"}, {"press": "confirm"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_is_written(item):
    def rows():
        tables = (Notification, Preference, RecipientSettings, ConsentChange)
        return [list(table.objects.order_by("pk").values()) for table in tables]

    before = rows()
    yield
    assert rows() == before


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_somebody_elses_item_is_404(client_of, charlie, item, form):
    answer = do(client_of(charlie), item, **form)

    assert answer.status_code == 404
    assert "Not found" in text(answer)
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_somebody_elses_reasons_are_404(client_of, charlie, item):
    assert client_of(charlie).get(f"{URL}{item.pk}/why/").status_code == 404


def test_marking_all_reaches_nobody_else(client_of, charlie, item):
    answer = client_of(charlie).post(f"{URL}mark/", {"mark": "read", "before": str(item.sort_key)})

    assert answer.status_code == 302


@pytest.mark.parametrize("path", [f"{NOBODY}/", "1/", "x/", "%00/", f"{NOBODY.upper()}/"])
def test_what_is_not_there_is_404(browser, path):
    assert browser.post(URL + path, {"mark": "read"}).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "status=nothing", "status=read", "status=unread%00", "cursor=a:b", "cursor=%ff%fe", "cursor=%00",
        "cursor=" + "a" * 5000, "category=%00", "category=%ED%A0%80%00", "category=" + "a" * 500,
        "status=unread&status=archived", "cursor=&cursor=",
    ],
)  # fmt: skip
def test_an_address_that_means_nothing_is_400(browser, item, query):
    answer = browser.get(f"{URL}?{query}")

    assert answer.status_code == 400
    assert "This cannot be read" in text(answer)
    assert do(browser, item, f"?{query}", mark="read").status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {}, {"mark": ""}, {"mark": "seen"}, {"mark": "hidden"}, {"mark": "\x00"}, {"mark": "\ud800".encode("utf-8", "surrogatepass")},
        {"mark": "read", "hide": "1"}, {"snooze": ""}, {"snooze": "2030-01-01"}, {"snooze": "\x00"}, {"recipient": "1"},
    ],
    ids=repr,
)  # fmt: skip
def test_a_form_that_means_nothing_is_400(browser, item, form):
    assert do(browser, item, **form).status_code == 400


def test_a_button_there_is_not_is_404(browser, item):
    for name in ("nothing", "", "\x00", "a" * 10_000):
        assert do(browser, item, press=name).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {}, {"mark": "read"}, {"mark": "read", "before": "1"}, {"mark": "read", "before": "\x00"},
        {"mark": "unread", "before": NOBODY}, {"mark": "seen", "before": NOBODY}, {"before": NOBODY},
    ],
    ids=repr,
)  # fmt: skip
def test_marking_all_of_nothing_is_400(browser, form):
    assert browser.post(f"{URL}mark/", form).status_code == 400


def test_what_is_snoozed_is_not_marked_as_a_whole(browser, item):
    form = {"mark": "read", "before": str(item.sort_key)}

    assert browser.post(f"{URL}mark/?status=snoozed", form).status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {}, {"category": "off"}, {"category:orders": "off"}, {"category::email": "off"}, {"category:orders:fax": "off"},
        {"category:nothing:email": "off"}, {"category:orders:email": "sometimes"}, {"category:orders:sms": "\x00"},
        {"category:\x00:email": "off"}, {"template:NOTHING:email": "off"}, {"template:ORDER_CREATED:in_app": "daily"},
        {"category:orders:sms": "off", "category:orders:email": "sometimes"},
        {f"category:orders:{number}": "off" for number in range(600)},
        {"category:" + "a" * 10_000 + ":email": "off"},
    ],
    ids=lambda form: repr(form)[:60],
)  # fmt: skip
def test_wishes_that_mean_nothing_are_400(browser, form):
    assert browser.post(PREFERENCES, form).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"time_zone": "Mars/Base"}, {"time_zone": "\x00"}, {"time_zone": "../../etc/passwd"}, {"locale": "klingon"},
        {"locale": "\x00"}, {"from": "22:00"}, {"to": "25:00", "from": "22:00"}, {"from": "x", "to": "y"},
        {"from": "08:00", "to": "08:00"}, {"time_zone": "Europe/Berlin", "from": "22:00"},
        {"time_zone": "Europe/Berlin", "locale": "klingon"},
    ],
    ids=repr,
)  # fmt: skip
def test_settings_that_mean_nothing_are_400_and_none_is_written(browser, change):
    form = {"time_zone": "", "locale": "", "from": "", "to": "", **change}

    answer = browser.post(SETTINGS, form)

    assert answer.status_code == 400
    assert browser.post(SETTINGS, {"time_zone": ""}).status_code == 400
