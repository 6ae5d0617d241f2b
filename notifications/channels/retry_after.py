"""How long a provider asks to wait."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: What a provider asks for is kept within these.
SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(hours=1)


def parse(value: str, now: datetime) -> timedelta | None:
    """
    Return how long a `Retry-After` header asks to wait, from a second to an hour; None: it cannot be read.

    Seconds or an HTTP date (RFC 9110 §10.2.3); providers send fractions, too.
    """
    try:
        seconds = float(value)
    except ValueError:
        return _until_date(value, now)
    if math.isnan(seconds):
        return None
    return _clamped(min(max(seconds, 0.0), LONGEST.total_seconds()))


def _until_date(value: str, now: datetime) -> timedelta | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return _clamped((date - now).total_seconds())


def _clamped(seconds: float) -> timedelta:
    return min(max(timedelta(seconds=seconds), SHORTEST), LONGEST)
