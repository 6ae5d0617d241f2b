"""What is typed at a prompt: read, or refused with what to write instead."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from notifications.management import options

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("90s", datetime(2026, 3, 1, 11, 58, 30, tzinfo=UTC)),
        ("90m", datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
        ("36h", datetime(2026, 2, 28, 0, tzinfo=UTC)),
        ("2d", datetime(2026, 2, 27, 12, tzinfo=UTC)),
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T08:30", datetime(2026, 2, 1, 8, 30, tzinfo=UTC)),
        ("2026-02-01 08:30:10", datetime(2026, 2, 1, 8, 30, 10, tzinfo=UTC)),
        ("2026-02-01T08:30+02:00", datetime(2026, 2, 1, 6, 30, tzinfo=UTC)),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_an_instant_is_so_long_ago_or_a_date_or_a_date_and_time(text, instant):
    assert options.instant(text) == instant


def test_a_date_without_a_zone_is_one_of_the_site():
    with timezone.override("Europe/Vienna"):
        assert options.instant("2026-02-01") == datetime(2026, 1, 31, 23, tzinfo=UTC)
        assert options.instant("2026-02-01T00:00") == datetime(2026, 1, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (options.instant, "yesterday", "write 36h or 2d (ago)"),
        (options.instant, "2026-02-30", "no instant there is"),
        (options.instant, "99999999999999d", "no instant there is"),
        (options.instant, "", "write 36h or 2d (ago)"),
        (options.number, "0", "above zero"),
        (options.number, "-1", "above zero"),
        (options.number, "ten", "above zero"),
        (options.number, "²", "above zero"),
        (options.seconds, "0", "more than zero"),
        (options.seconds, "nan", "more than zero"),
        (options.seconds, "inf", "more than zero"),
        (options.seconds, "soon", "number of seconds"),
        (options.uuid, "42", "is no id"),
        (options.channel, "emial", "did you mean 'email'?"),
        (options.channel, "fax", "there are in_app, email, sms"),
        (options.reason, "retries_exausted", "did you mean 'retries_exhausted'?"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_hint(read, text, said):
    with pytest.raises(ArgumentTypeError) as refused:
        read(text)

    assert said in str(refused.value)


def test_what_can_be_read_is_read():
    assert options.number("20") == 20
    assert options.seconds("0.5") == 0.5
    assert options.channel("sms") == "sms"
    assert options.reason("rejected") == "rejected"
    assert options.uuid("019ca945-0a00-7000-a46e-e151981374f0") == UUID("019ca945-0a00-7000-a46e-e151981374f0")
