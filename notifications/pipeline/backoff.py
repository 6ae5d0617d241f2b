"""PURE: when to try again."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What a provider asks for is kept within these.
MIN_RETRY_AFTER = timedelta(seconds=1)
MAX_RETRY_AFTER = timedelta(hours=1)
#: How far the tail strays, as a part of the wait: what failed together need not come back together.
JITTER = 0.2


def next_retry_at(
    attempt: int,
    now: datetime,
    *,
    delays: Sequence[float],
    tail: Sequence[float] = (),
    spread: float = 0.0,
    retry_after: timedelta | None = None,
) -> datetime | None:
    """
    Return when to try again: after `delays` (seconds) exactly, then after the `tail` ±20 %, not before `retry_after`.

    `attempt` counts from 1; `now` is aware; `spread`, from -1 to 1, says where in the ±20 %. None: give up.
    """
    if attempt <= len(delays):
        seconds = delays[attempt - 1]
    elif attempt <= len(delays) + len(tail):
        seconds = tail[attempt - len(delays) - 1] * (1 + JITTER * spread)
    else:
        return None
    wait = timedelta(seconds=seconds)
    if retry_after is not None:
        wait = max(wait, min(retry_after, MAX_RETRY_AFTER))
    return now + wait


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
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
    return _clamped(min(max(seconds, 0.0), MAX_RETRY_AFTER.total_seconds()))


def _until_date(value: str, now: datetime) -> timedelta | None:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return _clamped((date - now).total_seconds())


def _clamped(seconds: float) -> timedelta:
    return min(max(timedelta(seconds=seconds), MIN_RETRY_AFTER), MAX_RETRY_AFTER)
