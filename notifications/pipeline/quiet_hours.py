"""PURE: the hours in which a recipient is left alone, and when they end."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext as _

from notifications.registry import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Stands for every weekday that is not named.
DAILY = "daily"
#: A bound on the work one recipient can cause.
MAX_SPANS_A_DAY = 10
DAY = 24 * 60
WEEK = 7 * DAY

_SPAN = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])-(?:(24:00)|([01]?[0-9]|2[0-3]):([0-5][0-9]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """
    Spans of the week by the recipient's wall clock; never the whole week, so they always end.

    A span is (start, end) in minutes of the day, the end excluded. It belongs to the day it starts on: an end before
    its start is on the next day; an end at its start means none.
    """

    #: weekday (0 = Monday … 6 = Sunday) → spans; they may overlap
    spans: Mapping[int, tuple[tuple[int, int], ...]]

    def __post_init__(self) -> None:
        for weekday, spans in self.spans.items():
            if weekday not in range(7) or not all(0 <= start < DAY and 0 <= end <= DAY for start, end in spans):
                message = f"Quiet hours {weekday!r}: {spans!r} are refused; weekdays are 0 to 6, minutes 0 to {DAY}."
                raise ValueError(message)
        if _fill_the_week(self.spans):
            raise ValueError(
                _("Quiet hours cover the whole week; leave some time free, or switch the channel off instead.")
            )

    @classmethod
    def from_json(cls, data: Any) -> QuietHours:
        """
        Read `{"daily": ["22:00-07:00"], "sat": ["00:00-10:00", "22:00-24:00"], "sun": []}`.

        A day that is named does not get the daily spans, too. ValueError says what is wrong, in words for people.
        """
        kind = type(data)
        if kind is not dict:
            raise ValueError(f'Quiet hours must be like {{"daily": ["22:00-07:00"]}}, not a {kind.__name__}.')
        for day in data:
            if day != DAILY and day not in WEEKDAYS:
                hint = did_you_mean(str(day)[:40], (DAILY, *WEEKDAYS))
                known = ", ".join((DAILY, *WEEKDAYS))
                raise ValueError(f"No weekday {str(day)[:40]!r} in quiet hours{hint}. Use one of {known}.")
        read = {day: _read_spans(day, spans) for day, spans in data.items()}
        daily = read.get(DAILY, ())
        return cls(spans={number: read.get(day, daily) for number, day in enumerate(WEEKDAYS)})

    def to_json(self) -> dict[str, list[str]]:
        """Return what `from_json` reads: `daily` if every day is the same, else the days that have spans."""
        days = {day: [_write_span(*span) for span in self.spans.get(n, ())] for n, day in enumerate(WEEKDAYS)}
        if all(spans == days["mon"] for spans in days.values()):
            days = {DAILY: days["mon"]}
        return {day: spans for day, spans in days.items() if spans}


def is_quiet(now: datetime, quiet: QuietHours, zone: str) -> bool:
    """Return whether a recipient in `zone` (an IANA name) is to be left alone at `now` (aware)."""
    return any(start <= now < end for start, end in _near(now, quiet, time_zone(zone)))


def next_allowed(now: datetime, quiet: QuietHours, zone: str) -> datetime:
    """
    Return `now` if it is not quiet, else the first instant that is not, in UTC.

    A span whose start or end the clocks skip starts or ends with the skip; one whose start comes twice starts at the
    first, one whose end comes twice ends at the second.
    """
    tz = time_zone(zone)
    while ends := [end for start, end in _near(now, quiet, tz) if start <= now < end]:
        now = max(ends)
    return now


@cache
def time_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name, old names such as Europe/Kiev included; ValueError: there is none."""
    known = available_timezones()
    if name not in known:
        hint = did_you_mean(name[:50], known)
        message = _("No time zone %(name)r%(hint)s. Use an IANA name such as Europe/Berlin.")
        raise ValueError(message % {"name": name[:50], "hint": hint})
    return ZoneInfo(name)


def first_instant(wall: datetime, tz: ZoneInfo) -> datetime:
    """Return the first instant, in UTC, at which clocks show `wall` (naive); if they skip it, where the skip ends."""
    return _instant(wall, tz, fold=0)


def last_instant(wall: datetime, tz: ZoneInfo) -> datetime:
    """Return the last instant, in UTC, at which clocks show `wall` (naive); if they skip it, where the skip ends."""
    return _instant(wall, tz, fold=1)


def _near(now: datetime, quiet: QuietHours, tz: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """
    Yield every span that may hold `now`, as instants.

    It began today or yesterday; where clocks are put back over midnight, a span of tomorrow has begun,
    or one of the day before yesterday has not ended.
    """
    today = now.astimezone(tz).date()
    for day in (today + timedelta(days=days) for days in (-2, -1, 0, 1)):
        for start, end in quiet.spans.get(day.weekday(), ()):
            if start != end:
                yield first_instant(_wall(day, start), tz), last_instant(_wall(day, _unwrapped(start, end)), tz)


def _wall(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def _unwrapped(start: int, end: int) -> int:
    return end if end > start else end + DAY


def _instant(wall: datetime, tz: ZoneInfo, *, fold: int) -> datetime:
    instant = wall.replace(tzinfo=tz, fold=fold).astimezone(UTC)
    return instant if _shown(instant, tz) == wall else _end_of_skip(wall, tz)


def _end_of_skip(wall: datetime, tz: ZoneInfo) -> datetime:
    """Search between `wall` by the offset after the skip and by the one before it (PEP 495: fold 1 and 0)."""
    earliest, latest = (wall.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (1, 0))
    seconds = range(int((latest - earliest).total_seconds()))
    return earliest + timedelta(
        seconds=bisect_left(seconds, x=True, key=lambda n: _shown(earliest + timedelta(seconds=n), tz) > wall)
    )


def _shown(instant: datetime, tz: ZoneInfo) -> datetime:
    """Return what clocks show at an instant, naive."""
    return instant.astimezone(tz).replace(tzinfo=None)


def _fill_the_week(days: Mapping[int, tuple[tuple[int, int], ...]]) -> bool:
    spans = [
        (weekday * DAY + start, weekday * DAY + _unwrapped(start, end))
        for weekday, day in days.items()
        for start, end in day
        if start != end
    ]
    # What runs past Sunday is also where the week begins.
    spans += [(start - WEEK, end - WEEK) for start, end in spans]
    reached = 0
    for start, end in sorted(spans):
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= WEEK


def _read_spans(day: str, spans: Any) -> tuple[tuple[int, int], ...]:
    kind = type(spans)
    if kind is not list:
        raise ValueError(f'Quiet hours of {day} must be a list such as ["22:00-07:00"], not a {kind.__name__}.')
    if len(spans) > MAX_SPANS_A_DAY:
        message = _("Quiet hours of %(day)s have %(number)s spans; at most %(most)s. Join some.")
        raise ValueError(message % {"day": day, "number": len(spans), "most": MAX_SPANS_A_DAY})
    return tuple(_read_span(day, span) for span in spans)


def _read_span(day: str, text: Any) -> tuple[int, int]:
    match = _SPAN.fullmatch(str(text))
    if match is None:
        message = _("Quiet hours of %(day)s: cannot read %(span)r. Write 22:00-07:00, up to 24:00.")
        raise ValueError(message % {"day": day, "span": str(text)[:40]})
    end = DAY if match[3] else int(match[4]) * 60 + int(match[5])
    return int(match[1]) * 60 + int(match[2]), end


def _write_span(start: int, end: int) -> str:
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
