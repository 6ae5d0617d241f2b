"""The one clock: nothing else in the system asks what time it is."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import Error, connection
from django.utils import timezone

from notifications import conf

#: A measurement that took longer than this says little.
MAX_ROUND_TRIP = 1.0

_offset = timedelta(0)
_measured_at: float | None = None


def now() -> datetime:
    """
    Return the current instant, aware, UTC, by the clock of the database.

    Measured at first use and every minute: workers whose own clocks differ agree on what is due.
    """
    interval = conf.current().clock_check
    if interval and (_measured_at is None or time.monotonic() - _measured_at > interval):
        _measure()
    return timezone.now() + _offset


def offset() -> timedelta:
    """Return how far the database's clock was ahead of ours when it was last asked."""
    return _offset


def _measure() -> None:
    """Ask the database for its time. SQLite has none of its own."""
    global _offset, _measured_at  # noqa: PLW0603
    # Set first: if the database does not answer, it is not asked again by every caller.
    _measured_at = time.monotonic()
    if connection.vendor != "postgresql" or connection.needs_rollback:
        return
    before, started = timezone.now(), time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            theirs = cursor.fetchone()[0]
    except Error:
        # Whoever needs the database hears of it from their own statement; until then the old offset holds.
        return
    took = time.monotonic() - started
    if took <= MAX_ROUND_TRIP:
        _offset = theirs - (before + timedelta(seconds=took / 2))
