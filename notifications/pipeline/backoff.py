"""PURE: when to try again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: What a provider asks for counts up to this.
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
