"""Whatever comes in is answered with 4xx and words, never with 500, and changes nothing."""

from __future__ import annotations

import json

import pytest

from notifications.api.parsers import MAX_BODY
from notifications.models import Notification
from tests.notifications.api.asking import NOBODY, URL

BODIES = {
    "nothing": b"",
    "no json": b"{",
    "no text": b"\xff\xfe\x00",
    "lone surrogate": b'{"read": true, "seen": "\\ud800"}',
    "lone surrogate as key": b'{"\\udfff": true}',
    "NUL": b'{"read": "\\u0000"}',
    "NUL as key": b'{"\\u0000": 1}',
    "deep": b"[" * 50_000 + b"]" * 50_000,
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "nine levels": b"[" * 9 + b"]" * 9,
    "huge integer": b'{"ids": [10000000000000000000000000], "as": "read"}',
    "thousands of digits": b'{"ids": [' + b"9" * 5000 + b'], "as": "read"}',
    "huge float": b'{"read": 1e999}',
    "NaN": b'{"read": NaN}',
    "infinity": b'{"read": -Infinity}',
    "text": b'"read"',
    "list": b"[1, 2]",
    "null": b"null",
    "ids as text": b'{"ids": "01", "as": "read"}',
    "many ids": json.dumps({"ids": [NOBODY] * 10_000, "as": "read"}).encode(),
    "another's columns": json.dumps({"recipient": 1, "hidden_at": None, "title": "x", "priority": 0}).encode(),
}


@pytest.fixture
def untouched(item):
    """Fail if the test has changed the item."""
    rows = Notification.objects.values()
    before = rows.get()
    yield item
    assert rows.get() == before


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("place", ["{item}", "mark", "preferences", "settings", "mutes", "endpoints"])
def test_a_hostile_body_is_400(browser, untouched, place, body):
    method = browser.post if place in {"mark", "mutes", "endpoints"} else browser.patch

    answer = method(f"{URL}{place.format(item=untouched.pk)}/", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_body_over_a_megabyte_is_413(browser, untouched):
    answer = browser.post(f"{URL}mark/", b" " * (MAX_BODY + 1), content_type="application/json")

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_what_is_no_json_is_415(browser, untouched, content_type):
    answer = browser.post(f"{URL}mark/", b"as=read", content_type=content_type)

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    "query",
    [
        "cursor=%ff%fe", "cursor=a:b:c", "cursor=" + "a" * 5000, "_connector=OR", "recipient=1", "title__contains=x",
        "page_size=1e9", "page_size=-0x1", "category=%00", "template=" + "A" * 5000, "status=", "status[]=read",
        "created_after=%D9%A1", "about=" + "%F0%9F%92%A9" * 201, "priority=urgent%00",
    ],
)  # fmt: skip
def test_a_hostile_query_is_400(browser, untouched, query):
    answer = browser.get(f"{URL}?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize("path", ["nothing/", "1/2/3", f"{NOBODY}/nothing/", "%00", "..%2f..%2fadmin", "COUNTS/"])
def test_an_address_that_is_none_is_a_problem_too(browser, path):
    answer = browser.get(f"{URL}{path}")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["put", "post", "delete", "trace"])
def test_a_method_that_is_none_is_405(browser, method):
    answer = getattr(browser, method)(f"{URL}counts/")

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
