"""How long a provider asks to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifications.channels import retry_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("-3", 1),
        ("1.5", 1.5),
        ("99999999", 3600),
        ("1e400", 3600),
        ("inf", 3600),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 1),
        ("Sun, 01 Mar 2099 12:00:30 GMT", 3600),
    ],
)
def test_retry_after_is_read_and_kept_within_bounds(header, seconds):
    assert retry_after.parse(header, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "header", ["", "soon", "nan", "12:00", "Sun, 99 Foo 2026", "Sun, 01 Mar 99999999999 12:00:30 GMT"]
)
def test_a_retry_after_that_cannot_be_read_is_none(header):
    assert retry_after.parse(header, NOW) is None
