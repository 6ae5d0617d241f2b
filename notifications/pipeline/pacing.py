"""
How fast a channel may send, over all processes: one row, moved by one statement for each message.

The generic cell rate algorithm: the row holds when the next message may go out, and each message moves it on by its
share of a second. It holds on every broker and through a flush of Redis, because it is not there.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.db import connection

from notifications import clock
from notifications.models import SendRate

if TYPE_CHECKING:
    from collections.abc import Callable

#: Nobody waits longer than this for their turn: the rows are put back instead.
MAX_WAIT = 2.0
#: What may go out at once after a rest, in seconds of the rate: a tenth.
BURST = 0.1


def reserve(channel: str, number: int, rate: float) -> float | None:
    """
    Take `number` turns of a channel; return the seconds to wait for the first, or None if the queue is too long.

    `rate` is in messages per second, over all processes; 0 means no limit and asks nobody.
    """
    if not rate:
        return 0.0
    now = clock.now().timestamp()
    length, burst = number / rate, max(BURST, 1 / rate) - 1 / rate
    table = connection.ops.quote_name(SendRate._meta.db_table)
    greatest = "GREATEST" if connection.vendor == "postgresql" else "MAX"
    # A turn taken is never given back, so nobody takes one they would not wait for.
    sql = (
        f"INSERT INTO {table} (channel, next_at) VALUES (%s, %s) "  # noqa: S608 - names are ours
        f"ON CONFLICT (channel) DO UPDATE SET next_at = {greatest}({table}.next_at, %s) + %s "
        f"WHERE {table}.next_at - %s <= %s RETURNING next_at"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [channel, now + length, now, length, now, MAX_WAIT + burst])
        row = cursor.fetchone()
    if row is None:
        return None
    return max(float(row[0]) - length - burst - now, 0.0)


def wait(seconds: float, stopping: Callable[[float], bool]) -> bool:
    """Wait for one's turn; False: `stopping` said not to wait any longer."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if stopping(min(left, 0.2)):
            return False
    return True
