"""What commands print lines up."""

from __future__ import annotations

import pytest

from notifications.management import tables


def test_names_begin_at_the_left_and_numbers_end_at_the_right():
    assert tables.aligned([("actor", "due", "waiting"), ("deliver_sms", "-", 3), ("x", "2m 05s", 12345)]) == [
        "actor         due      waiting",
        "deliver_sms   -              3",
        "x             2m 05s    12,345",
    ]


def test_no_rows_are_no_lines():
    assert tables.aligned([]) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0.4, "0s"), (59.9, "59s"), (125, "2m 05s"), (3600, "1h 00m"), (86399, "23h 59m"), (187200, "2d 04h")],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds, text):
    assert tables.duration(seconds) == text


def test_one_is_singular():
    assert tables.number(1, "event") == "1 event"
    assert tables.number(1204, "event") == "1,204 events"
    assert tables.number(0, "delivery", "deliveries") == "0 deliveries"
