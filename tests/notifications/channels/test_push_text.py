"""What a device is told fits, whatever is written, and is cut between letters."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from notifications.channels.push_text import MAX_PLAIN, as_json, cut, fitted, tag
from notifications.ids import uuid7
from notifications.types import Priority
from notifications.values import Action, Message, Rendered


def message(title="Your order", body="It is on its way.", url="/orders/1/", **changes):
    parts = {
        "delivery_id": uuid7(), "channel": "web_push", "address": "x", "priority": Priority.NORMAL,
        "rendered": Rendered(title=title, body=body), "action": Action(url=url), "category": "orders",
    }  # fmt: skip
    return Message(**{**parts, **changes})


def test_what_fits_is_told_as_it_is():
    number = UUID("01920000-0000-7000-8000-000000000001")

    assert fitted(message(notification_id=number), MAX_PLAIN) == {
        "title": "Your order",
        "body": "It is on its way.",
        "url": "/orders/1/",
        "tag": "01920000000070008000000000000001",
        "id": "01920000-0000-7000-8000-000000000001",
    }


def test_the_tag_is_the_notifications_or_the_deliverys():
    number = uuid7()
    direct = message(notification_id=None)

    assert tag(message(notification_id=number)) == tag(message(notification_id=number)) == number.hex
    assert tag(direct) == direct.delivery_id.hex
    assert len(tag(direct)) == 32


@pytest.mark.parametrize("letter", ["x", "ü", "語", "😀", '"', "\\", "\x01", "e\u0301", "👩🏽‍🚀"], ids=ascii)
@pytest.mark.parametrize("size", [MAX_PLAIN, 3500])
def test_whatever_is_written_fits(letter, size):
    told = fitted(message(title=letter * 3000, body=letter * 9000, url="/" + letter * 2000), size)

    data = as_json(told)
    assert size - 40 <= len(data) <= size
    assert json.loads(data) == told
    assert told["body"].endswith("…")
    kept = told["body"].removesuffix("…")
    assert kept == letter * (len(kept) // len(letter))


def test_a_link_that_is_too_long_is_left_out_rather_than_cut():
    assert fitted(message(url="/" + "x" * 2000), MAX_PLAIN)["url"] == ""


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "ab…"),
        ("ab cdef", 6, "ab…"),
        ("äöü", 5, "ä…"),
        ('""""', 6, '"…'),
        ("abcdef", 0, "…"),
        ("", 0, ""),
        ("cafe\u0301 au lait", 8, "caf…"),
        ("ok 👩‍🚀 there", 13, "ok…"),
        ("ok 👍🏽 there", 11, "ok…"),
    ],
)
def test_texts_are_cut_between_letters(text, size, expected):
    assert cut(text, size) == expected
