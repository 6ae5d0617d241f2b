"""What several commands read from their command line. Each function is a `type` of argparse: text in, value or error out."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from notifications import clock
from notifications.registry import did_you_mean
from notifications.types import Channel, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

_AGO = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def number(text: str) -> int:
    """Read a number above zero."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


def seconds(text: str) -> float:
    """Read a length of time above zero, in seconds."""
    try:
        value = float(text)
    except ValueError as e:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds") from e
    if not 0 < value <= timedelta(days=1).total_seconds():
        raise ArgumentTypeError(f"{text} s is not more than zero and at most a day")
    return value


def instant(text: str) -> datetime:
    """Read an instant: so long ago (`90m`, `36h`, `2d`), or a date, or a date and time, in the time zone of the site."""
    try:
        if ago := _AGO.fullmatch(text):
            return clock.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if day := parse_date(text):
            return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware here
        if moment := parse_datetime(text):
            return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    except (ValueError, OverflowError) as e:
        raise ArgumentTypeError(f"{text!r} is no instant there is: {e}") from e
    raise ArgumentTypeError(f"{text!r} is no instant; write 36h or 2d (ago), 2026-03-01, or 2026-03-01T12:00")


def uuid(text: str) -> UUID:
    """Read an id."""
    try:
        return UUID(text)
    except ValueError as e:
        raise ArgumentTypeError(f"{text!r} is no id; ids are in the admin and in the log") from e


def channel(text: str) -> str:
    """Read the name of a channel."""
    return _one_of(text, Channel.values, "channel")


def reason(text: str) -> str:
    """Read a reason code."""
    return _one_of(text, Reason.values, "reason")


def _one_of(text: str, known: Sequence[str], noun: str) -> str:
    if text not in known:
        raise ArgumentTypeError(f"no {noun} {text!r}{did_you_mean(text, known)}; there are {', '.join(known)}")
    return text
