"""Who asks again and again: 304 while nothing has changed, 429 when it is too much."""

from __future__ import annotations

import pytest

from tests.factories import make_item
from tests.notifications.api.asking import URL, mark


@pytest.mark.parametrize("path", ["", "counts/"])
def test_nothing_new_is_304_without_a_body(browser, alice, template, item, path):
    etag = browser.get(f"{URL}{path}")["ETag"]
    again = browser.get(f"{URL}{path}", headers={"if-none-match": etag})
    make_item(alice, template)
    changed = browser.get(f"{URL}{path}", headers={"if-none-match": etag})

    assert etag.startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert changed["ETag"] != etag


def test_an_etag_of_somebody_else_says_nothing(browser, client_of, bob, item):
    etag = browser.get(URL)["ETag"]

    assert client_of(bob).get(URL, headers={"if-none-match": etag}).status_code == 200


def test_answers_are_kept_by_nobody_else(browser, item):
    assert browser.get(URL)["Cache-Control"] == "private, no-cache"


@pytest.fixture
def few(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "API_RATES": {"read": "3/min", "write": "2/min"}}


def test_too_much_is_429_and_says_when_to_come_back(browser, item, few):
    answers = [browser.get(URL) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 61
    assert answers[-1].json()["code"] == "throttled"


def test_reading_and_writing_are_counted_apart(browser, item, few):
    for _ in range(3):
        browser.get(URL)

    assert [mark(browser, {"as": "seen", "ids": []}).status_code for _ in range(3)] == [200, 200, 429]


def test_a_forged_header_does_not_help(browser, item, few):
    answers = [browser.get(URL, headers={"x-forwarded-for": f"10.0.{number}.1"}) for number in range(100)]

    assert [answer.status_code for answer in answers].count(200) == 3


def test_one_user_does_not_spend_what_another_has(browser, client_of, bob, item, few):
    for _ in range(4):
        browser.get(URL)

    assert client_of(bob).get(URL).status_code == 200


def test_a_rate_that_is_left_out_is_none(browser, item, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "API_RATES": {}}

    assert {browser.get(URL).status_code for _ in range(700)} == {200}
