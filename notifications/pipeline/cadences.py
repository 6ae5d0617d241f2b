"""PURE: when the next digest of a recipient is due."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from notifications.pipeline.quiet_hours import first_instant, time_zone
from notifications.registry import did_you_mean

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

#: cadence → days from one digest to the next; 0: within the day
DAYS = {"hourly": 0, "daily": 1, "weekly": 7}


def next_digest_at(now: datetime, cadence: str, zone: str, *, hour: int = 8, weekday: int = 0) -> datetime:
    """
    Return the next time after `now` (aware) for a digest to a recipient in `zone` (an IANA name), in UTC.

    Hourly: when their clocks show a full hour; one that comes twice has two digests, one that is skipped has none.
    Daily and weekly: at `hour` of every day or of `weekday` (0 = Monday); an hour that comes twice has its digest at
    the first, one that is skipped has it where the skip ends.
    """
    if cadence not in DAYS:
        raise ValueError(f"No digest cadence {cadence!r}{did_you_mean(cadence, DAYS)}. Use one of {', '.join(DAYS)}.")
    if hour not in range(24) or weekday not in range(7):
        raise ValueError(f"No digest at hour {hour} of weekday {weekday}; hours are 0 to 23, weekdays 0 to 6.")
    tz = time_zone(zone)
    step = DAYS[cadence]
    return _next_day(now, tz, step, hour, weekday) if step else _next_full_hour(now, tz)


def _next_full_hour(now: datetime, tz: ZoneInfo) -> datetime:
    """Look at the clock every minute: zones change by half hours, too."""
    minute = timedelta(minutes=1)
    instant = now.replace(second=0, microsecond=0) + minute
    while instant.astimezone(tz).minute:
        instant += minute
    return instant


def _next_day(now: datetime, tz: ZoneInfo, step: int, hour: int, weekday: int) -> datetime:
    day = now.astimezone(tz).date()
    if step == DAYS["weekly"]:
        day += timedelta(days=(weekday - day.weekday()) % 7)
    while (instant := first_instant(datetime.combine(day, time(hour)), tz)) <= now:
        day += timedelta(days=step)
    return instant
