"""PURE: when to try again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A provider cannot put a message off for longer than this.
MAX_RETRY_AFTER = timedelta(hours=1)


def next_retry_at(
    attempt: int, now: datetime, *, delays: Sequence[float], retry_after: timedelta | None = None
) -> datetime | None:
    """
    Return when to try again: `delays[attempt - 1]` seconds from now exactly, but not before `retry_after`.

    `attempt` counts from 1; `now` is aware. None: give up.
    """
    if attempt > len(delays):
        return None
    wait = timedelta(seconds=delays[attempt - 1])
    if retry_after is not None:
        wait = max(wait, min(retry_after, MAX_RETRY_AFTER))
    return now + wait
