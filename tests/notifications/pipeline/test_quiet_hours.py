"""The hours in which a recipient is left alone. Instants are UTC; what is expected was worked out by hand."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from notifications.pipeline.quiet_hours import QuietHours, is_quiet, next_allowed

NIGHTS = {"daily": ["22:00-07:00"]}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- The vectors: what the clocks do is noted beside each, offsets in hours


@pytest.mark.parametrize(
    ("zone", "hours", "now", "allowed"),
    [
        # New York, 8 March 2026: at 07:00Z clocks go from 02:00 (-5) to 03:00 (-4).
        pytest.param("America/New_York", NIGHTS, "2026-03-08 04:00", "2026-03-08 11:00", id="short-night"),
        pytest.param("America/New_York", NIGHTS, "2026-03-08 10:59", "2026-03-08 11:00", id="short-night-last-minute"),
        pytest.param("America/New_York", NIGHTS, "2026-03-08 11:00", "2026-03-08 11:00", id="short-night-over"),
        pytest.param(
            "America/New_York", {"daily": ["22:00-02:30"]}, "2026-03-08 06:00", "2026-03-08 07:00", id="end-skipped"
        ),
        pytest.param(
            "America/New_York", {"daily": ["22:00-02:00"]}, "2026-03-08 06:00", "2026-03-08 07:00", id="end-at-the-skip"
        ),
        pytest.param(
            "America/New_York", {"daily": ["22:00-03:00"]}, "2026-03-08 06:00", "2026-03-08 07:00", id="end-after-skip"
        ),
        pytest.param(
            "America/New_York", {"daily": ["02:30-05:00"]}, "2026-03-08 07:00", "2026-03-08 09:00", id="start-skipped"
        ),
        pytest.param(
            "America/New_York", {"daily": ["02:30-05:00"]}, "2026-03-08 06:59", "2026-03-08 06:59", id="before-start"
        ),
        pytest.param(
            "America/New_York", {"daily": ["02:15-02:45"]}, "2026-03-08 07:00", "2026-03-08 07:00", id="all-skipped"
        ),
        # New York, 1 November 2026: at 06:00Z clocks go from 02:00 (-4) back to 01:00 (-5).
        pytest.param("America/New_York", NIGHTS, "2026-11-01 03:00", "2026-11-01 12:00", id="long-night"),
        pytest.param(
            "America/New_York", {"daily": ["22:00-01:30"]}, "2026-11-01 05:15", "2026-11-01 06:30", id="end-twice"
        ),
        pytest.param(
            "America/New_York", {"daily": ["22:00-01:30"]}, "2026-11-01 05:45", "2026-11-01 06:30", id="between-ends"
        ),
        pytest.param(
            "America/New_York", {"daily": ["22:00-01:30"]}, "2026-11-01 06:30", "2026-11-01 06:30", id="second-end"
        ),
        pytest.param(
            "America/New_York", {"daily": ["22:00-01:00"]}, "2026-11-01 05:30", "2026-11-01 06:00", id="end-first-twice"
        ),
        pytest.param(
            "America/New_York", {"daily": ["22:00-02:00"]}, "2026-11-01 05:30", "2026-11-01 07:00", id="end-once-after"
        ),
        pytest.param(
            "America/New_York", {"daily": ["01:30-03:00"]}, "2026-11-01 05:29", "2026-11-01 05:29", id="not-started"
        ),
        pytest.param(
            "America/New_York", {"daily": ["01:30-03:00"]}, "2026-11-01 05:30", "2026-11-01 08:00", id="first-start"
        ),
        pytest.param(
            "America/New_York", {"daily": ["01:30-03:00"]}, "2026-11-01 06:10", "2026-11-01 08:00", id="between-starts"
        ),
        # Berlin, 29 March 2026: at 01:00Z from 02:00 (+1) to 03:00 (+2); 25 October: at 01:00Z from 03:00 back to 02:00.
        pytest.param("Europe/Berlin", NIGHTS, "2026-03-28 22:00", "2026-03-29 05:00", id="berlin-spring"),
        pytest.param(
            "Europe/Berlin", {"daily": ["22:00-02:30"]}, "2026-03-29 00:30", "2026-03-29 01:00", id="berlin-skipped"
        ),
        pytest.param("Europe/Berlin", NIGHTS, "2026-10-24 21:00", "2026-10-25 06:00", id="berlin-autumn"),
        pytest.param(
            "Europe/Berlin", {"daily": ["22:00-02:30"]}, "2026-10-25 00:40", "2026-10-25 01:30", id="berlin-twice"
        ),
        # Lord Howe, 4 October 2026: at 15:30Z the day before from 02:00 (+10:30) to 02:30 (+11).
        pytest.param("Australia/Lord_Howe", NIGHTS, "2026-10-03 12:00", "2026-10-03 20:00", id="lord-howe-spring"),
        pytest.param(
            "Australia/Lord_Howe",
            {"daily": ["22:00-02:15"]},
            "2026-10-03 15:00",
            "2026-10-03 15:30",
            id="lord-howe-skipped",
        ),
        # Lord Howe, 5 April 2026: at 15:00Z the day before from 02:00 (+11) back to 01:30 (+10:30).
        pytest.param(
            "Australia/Lord_Howe",
            {"daily": ["22:00-01:45"]},
            "2026-04-04 14:50",
            "2026-04-04 15:15",
            id="lord-howe-twice",
        ),
        # Sao Paulo, 4 November 2018: at 03:00Z from midnight (-3) to 01:00 (-2).
        pytest.param(
            "America/Sao_Paulo", {"daily": ["22:00-00:00"]}, "2018-11-04 01:30", "2018-11-04 03:00", id="no-midnight"
        ),
        pytest.param(
            "America/Sao_Paulo", {"sat": ["22:00-24:00"]}, "2018-11-04 01:30", "2018-11-04 03:00", id="no-24:00"
        ),
        pytest.param(
            "America/Sao_Paulo", {"sun": ["00:00-08:00"]}, "2018-11-04 02:59", "2018-11-04 02:59", id="still-saturday"
        ),
        pytest.param(
            "America/Sao_Paulo", {"sun": ["00:00-08:00"]}, "2018-11-04 03:00", "2018-11-04 10:00", id="sunday-at-one"
        ),
        # St. John's, 7 November 2010: at 02:31Z from 00:01 Sunday (-2:30) back to 23:01 Saturday (-3:30).
        pytest.param(
            "America/St_Johns", {"sun": ["00:00-08:00"]}, "2010-11-07 02:30", "2010-11-07 11:30", id="sunday-begins"
        ),
        pytest.param(
            "America/St_Johns", {"sun": ["00:00-08:00"]}, "2010-11-07 03:00", "2010-11-07 11:30", id="saturday-again"
        ),
        pytest.param(
            "America/St_Johns",
            {"fri": ["23:45-23:30"]},
            "2010-11-07 02:30",
            "2010-11-07 03:00",
            id="friday-s-end-twice",
        ),
        # Kathmandu is 5:45 ahead, always.
        pytest.param("Asia/Kathmandu", NIGHTS, "2026-05-01 16:14", "2026-05-01 16:14", id="kathmandu-before"),
        pytest.param("Asia/Kathmandu", NIGHTS, "2026-05-01 16:15", "2026-05-02 01:15", id="kathmandu"),
        # Apia had no 30 December 2011: at 10:00Z from the end of Thursday (-10) to the start of Saturday (+14).
        pytest.param("Pacific/Apia", NIGHTS, "2011-12-30 09:00", "2011-12-30 17:00", id="night-over-the-missing-day"),
        pytest.param(
            "Pacific/Apia", {"thu": ["22:00-07:00"]}, "2011-12-30 09:00", "2011-12-30 10:00", id="end-on-missing-day"
        ),
        pytest.param(
            "Pacific/Apia", {"fri": ["22:00-07:00"]}, "2011-12-30 10:00", "2011-12-30 17:00", id="start-on-missing-day"
        ),
        pytest.param(
            "Pacific/Apia", {"fri": ["09:00-17:00"]}, "2011-12-30 10:00", "2011-12-30 10:00", id="all-on-missing-day"
        ),
        # Kiev, 29 March 2026: at 01:00Z from 03:00 (+2) to 04:00 (+3).
        pytest.param("Europe/Kiev", NIGHTS, "2026-03-28 21:00", "2026-03-29 04:00", id="old-name"),
        pytest.param("Europe/Kyiv", NIGHTS, "2026-03-28 21:00", "2026-03-29 04:00", id="new-name"),
    ],
)
def test_quiet_hours_end_when_the_recipient_s_clocks_say_so(zone, hours, now, allowed):
    quiet = QuietHours.from_json(hours)

    assert next_allowed(at(now), quiet, zone) == at(allowed)
    assert is_quiet(at(now), quiet, zone) == (now != allowed)
    assert not is_quiet(at(allowed), quiet, zone)


@pytest.mark.parametrize(
    ("hours", "now", "allowed"),
    [
        # 4 May 2026 is a Monday.
        pytest.param({}, "2026-05-04 23:00", "2026-05-04 23:00", id="none"),
        pytest.param({"daily": ["00:00-00:00"]}, "2026-05-04 00:00", "2026-05-04 00:00", id="00-00"),
        pytest.param({"daily": ["07:00-07:00"]}, "2026-05-04 07:00", "2026-05-04 07:00", id="07-07"),
        pytest.param(NIGHTS, "2026-05-04 21:59", "2026-05-04 21:59", id="before"),
        pytest.param(NIGHTS, "2026-05-04 22:00", "2026-05-05 07:00", id="at-start"),
        pytest.param(NIGHTS, "2026-05-05 06:59:59.999999", "2026-05-05 07:00", id="last-microsecond"),
        pytest.param(NIGHTS, "2026-05-05 07:00", "2026-05-05 07:00", id="at-end"),
        pytest.param({"mon": ["22:00-07:00"]}, "2026-05-05 01:00", "2026-05-05 07:00", id="monday-s-night"),
        pytest.param({"mon": ["22:00-07:00"]}, "2026-05-04 01:00", "2026-05-04 01:00", id="not-sunday-s-night"),
        pytest.param({"sun": ["22:00-07:00"]}, "2026-05-04 01:00", "2026-05-04 07:00", id="sunday-s-night"),
        pytest.param({"mon": ["00:00-24:00"]}, "2026-05-04 00:00", "2026-05-05 00:00", id="a-whole-day"),
        pytest.param({"mon": ["12:00-12:30", "12:30-13:00"]}, "2026-05-04 12:00", "2026-05-04 13:00", id="adjacent"),
        pytest.param({"mon": ["12:00-13:00", "12:30-12:45"]}, "2026-05-04 12:40", "2026-05-04 13:00", id="nested"),
        pytest.param({"mon": ["12:30-14:00", "12:00-13:00"]}, "2026-05-04 12:10", "2026-05-04 14:00", id="overlapping"),
        pytest.param(
            {"daily": ["22:00-07:00"], "sat": ["00:00-10:00", "22:00-24:00"], "sun": ["00:00-24:00"]},
            "2026-05-08 23:00",
            "2026-05-09 10:00",
            id="friday-s-night-runs-into-saturday",
        ),
        pytest.param(
            {"fri": ["17:00-24:00"], "sat": ["00:00-24:00"], "sun": ["00:00-24:00"], "mon": ["00:00-08:00"]},
            "2026-05-08 18:00",
            "2026-05-11 08:00",
            id="a-weekend",
        ),
        pytest.param(
            {"daily": ["00:00-24:00"], "thu": ["00:00-12:00", "12:01-24:00"]},
            "2026-05-07 12:01",
            "2026-05-14 12:00",
            id="one-minute-a-week",
        ),
    ],
)
def test_spans_of_the_week_are_joined(hours, now, allowed):
    quiet = QuietHours.from_json(hours)

    assert next_allowed(at(now), quiet, "UTC") == at(allowed)
    assert is_quiet(at(now), quiet, "UTC") == (now != allowed)


def test_a_free_hour_that_the_clocks_skip_is_waited_for_another_week():
    # New York skips 02:00 to 03:00 on Sunday, 8 March 2026; a week later 02:00 is 06:00Z.
    quiet = QuietHours.from_json({"daily": ["00:00-24:00"], "sun": ["00:00-02:00", "03:00-24:00"]})

    assert next_allowed(at("2026-03-07 12:00"), quiet, "America/New_York") == at("2026-03-15 06:00")


# --- Reading and writing


@pytest.mark.parametrize(
    ("data", "written"),
    [
        ({}, {}),
        ({"mon": []}, {}),
        (NIGHTS, NIGHTS),
        ({"daily": ["7:00-9:05"]}, {"daily": ["07:00-09:05"]}),
        (
            {"sat": ["00:00-09:00", "22:00-24:00"], "mon": ["22:00-07:00"]},
            {"mon": ["22:00-07:00"], "sat": ["00:00-09:00", "22:00-24:00"]},
        ),
        (
            {"daily": ["13:00-14:00"], "sat": [], "sun": ["00:00-12:00"]},
            {day: ["13:00-14:00"] for day in ("mon", "tue", "wed", "thu", "fri")} | {"sun": ["00:00-12:00"]},
        ),
        ({day: ["22:00-07:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}, NIGHTS),
        ({"mon": ["07:00-07:00"]}, {"mon": ["07:00-07:00"]}),
    ],
)
def test_what_is_written_reads_as_the_same_hours(data, written):
    quiet = QuietHours.from_json(data)

    assert quiet.to_json() == written
    assert QuietHours.from_json(written).to_json() == written


def test_spans_are_minutes_by_weekday():
    quiet = QuietHours.from_json({"tue": ["22:00-07:30"], "sun": ["00:00-24:00"]})

    assert {day: spans for day, spans in quiet.spans.items() if spans} == {1: ((1320, 450),), 6: ((0, 1440),)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, 'Quiet hours must be like {"daily": ["22:00-07:00"]}, not a NoneType.'),
        (["22:00-07:00"], "not a list."),
        ({"mondy": []}, "No weekday 'mondy' in quiet hours (did you mean 'mon'?). Use one of daily, mon, tue,"),
        ({"Sat": []}, "(did you mean 'sat'?)"),
        ({"holidays": []}, "No weekday 'holidays' in quiet hours. Use one of daily,"),
        ({7: []}, "No weekday '7'"),
        ({"mon": "22:00-07:00"}, 'Quiet hours of mon must be a list such as ["22:00-07:00"], not a str.'),
        ({"mon": ["01:00-02:00"] * 11}, "Quiet hours of mon have 11 spans; at most 10. Join some."),
        ({"mon": ["25:00-07:00"]}, "Quiet hours of mon: cannot read '25:00-07:00'. Write 22:00-07:00, up to 24:00."),
        ({"daily": ["22:60-07:00"]}, "Quiet hours of daily: cannot read '22:60-07:00'."),
        ({"mon": ["24:00-07:00"]}, "cannot read '24:00-07:00'"),
        ({"mon": ["22:00-24:30"]}, "cannot read '22:00-24:30'"),
        ({"mon": ["22-07"]}, "cannot read '22-07'"),
        ({"mon": ["22:00-07:00\n"]}, "cannot read"),
        ({"mon": ["٢٢:٠٠-٠٧:٠٠"]}, "cannot read"),
        ({"mon": [["22:00", "07:00"]]}, "cannot read"),
        ({"mon": [None]}, "cannot read 'None'"),
        ({"mon": ["x" * 5000]}, f"cannot read '{'x' * 40}'. Write"),
    ],
)
def test_hours_that_cannot_be_read_are_refused_in_words(data, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        QuietHours.from_json(data)


@pytest.mark.parametrize(
    "hours",
    [
        {"daily": ["00:00-24:00"]},
        {"daily": ["00:00-12:00", "12:00-24:00"]},
        {"daily": ["12:00-11:00", "10:00-12:30"]},
        {"daily": ["22:00-07:00", "06:00-22:00"]},
        {"daily": ["00:00-24:00"], "mon": ["07:00-24:00"], "sun": ["00:00-12:00", "12:00-07:00"]},
    ],
)
def test_a_week_without_a_free_minute_is_refused(hours):
    with pytest.raises(ValueError, match=r"cover the whole week; leave some time free, or switch the channel off"):
        QuietHours.from_json(hours)


@pytest.mark.parametrize(
    "hours",
    [
        {"daily": ["00:00-23:59"]},
        {"daily": ["00:01-24:00"]},
        {"daily": ["00:00-24:00"], "sun": ["00:00-23:59"]},
        {"daily": ["00:00-24:00"], "mon": ["00:01-24:00"]},
        {"daily": ["00:00-12:00", "12:01-24:00"]},
    ],
)
def test_a_week_with_a_free_minute_is_accepted(hours):
    quiet = QuietHours.from_json(hours)

    assert next_allowed(at("2026-05-04 12:02"), quiet, "UTC") > at("2026-05-04 12:02")


@pytest.mark.parametrize("spans", [{7: ()}, {-1: ()}, {0: ((1440, 60),)}, {0: ((-1, 60),)}, {0: ((60, 1441),)}])
def test_spans_beyond_the_day_or_week_are_refused(spans):
    with pytest.raises(ValueError, match="weekdays are 0 to 6, minutes 0 to 1440"):
        QuietHours(spans=spans)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Berln", "No time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?). Use an IANA name such as"),
        ("", "No time zone ''."),
        ("../etc/passwd", "No time zone '../etc/passwd'"),
        ("Europe", "No time zone 'Europe'"),
        ("z" * 5000, f"No time zone '{'z' * 50}'."),
    ],
)
def test_an_unknown_time_zone_is_refused_in_words(zone, words):
    quiet = QuietHours.from_json(NIGHTS)

    with pytest.raises(ValueError, match=re.escape(words)):
        next_allowed(at("2026-05-04 12:00"), quiet, zone)


# --- Any zone, any instant of three years, any spans

FIRST, LAST = at("2024-01-01 00:00"), at("2027-01-01 00:00")
#: Clocks are put back by two hours at most in these years (Antarctica/Troll).
AROUND = timedelta(hours=3)
#: Spans and offsets are whole multiples of it, so nothing happens between two steps.
STEP = timedelta(minutes=5)
ZONES = sorted(available_timezones() - {"localtime"})
PROPERTY = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


def offset(instant, tz):
    return instant.astimezone(tz).utcoffset()


@cache
def changes(zone):
    """Return the instants, to the minute, at which the clocks of a zone are put forward or back."""
    tz, found, day = ZoneInfo(zone), [], FIRST
    while day < LAST:
        low, high = day, day + timedelta(days=5)
        if offset(low, tz) != offset(high, tz):
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // timedelta(minutes=2) * timedelta(minutes=1)
                low, high = (middle, high) if offset(middle, tz) == offset(low, tz) else (low, middle)
            found.append(high)
        day += timedelta(days=5)
    return found


def showing(instant, quiet, tz, *, ends=False):
    """Return the spans, each of one date, that hold what the clocks show; with their `ends`, or without."""
    wall = instant.astimezone(tz).replace(tzinfo=None)
    midnight = wall.replace(hour=0, minute=0)
    found = set()
    for day in (midnight, midnight - timedelta(days=1)):
        for start, end in quiet.spans.get(day.weekday(), ()):
            first = day + timedelta(minutes=start)
            last = day + timedelta(minutes=end, days=end < start)
            if first <= wall < last or (ends and first < wall == last):
                found.add((day, start, end))
    return found


def is_quiet_by_definition(instant, quiet, tz):
    """The clock shows an hour of a span; or it showed one, and will show one of the same, or its end, again."""
    instant = instant.replace(minute=instant.minute // 5 * 5, second=0, microsecond=0)
    if showing(instant, quiet, tz):
        return True
    if offset(instant - AROUND, tz) == offset(instant + AROUND, tz):
        return False
    steps = range(1, AROUND // STEP + 1)
    before = (showing(instant - n * STEP, quiet, tz) for n in steps)
    after = (showing(instant + n * STEP, quiet, tz, ends=True) for n in steps)
    return bool(set().union(*before) & set().union(*after))


@st.composite
def zones_and_instants(draw):
    """Any zone and any instant; every other one is within a day or so of a change of its clocks."""
    zone = draw(st.sampled_from(ZONES))
    seconds = st.integers(0, int((LAST - FIRST).total_seconds()))
    near = changes(zone)
    if near and draw(st.booleans()):
        return zone, draw(st.sampled_from(near)) + timedelta(minutes=draw(st.integers(-1500, 300)))
    return zone, FIRST + timedelta(seconds=draw(seconds))


@st.composite
def weeks(draw, minutes=1):
    """Any quiet hours with times on multiples of `minutes`, many of them at night, when clocks change."""
    starts = st.one_of(st.integers(0, 1439 // minutes), st.integers(0, 240 // minutes))
    ends = st.one_of(st.integers(0, 1440 // minutes), st.integers(0, 240 // minutes))
    spans = st.lists(st.tuples(starts, ends), max_size=3)
    days = draw(st.dictionaries(st.integers(0, 6), spans) | spans.map(lambda every: dict.fromkeys(range(7), every)))
    spans_by_day = {day: tuple((start * minutes, end * minutes) for start, end in every) for day, every in days.items()}
    try:
        return QuietHours(spans=spans_by_day)
    except ValueError:
        return QuietHours(spans={})


@PROPERTY
@given(zones_and_instants(), weeks())
def test_the_next_allowed_instant_is_not_quiet_and_stays(place, quiet):
    zone, now = place

    allowed = next_allowed(now, quiet, zone)

    assert allowed >= now
    assert (allowed == now) == (not is_quiet(now, quiet, zone))
    assert not is_quiet(allowed, quiet, zone)
    assert next_allowed(allowed, quiet, zone) == allowed
    assert QuietHours.from_json(quiet.to_json()).to_json() == quiet.to_json()


def assert_by_definition(zone, now, quiet):
    tz = ZoneInfo(zone)

    allowed = next_allowed(now, quiet, zone)

    assert is_quiet(now, quiet, zone) == is_quiet_by_definition(now, quiet, tz)
    assert not is_quiet_by_definition(allowed, quiet, tz)
    steps = (allowed - now) // STEP
    for n in {*range(0, steps + 1, steps // 30 + 1), steps}:
        if now + n * STEP < allowed:
            assert is_quiet_by_definition(now + n * STEP, quiet, tz)


@PROPERTY
@given(zones_and_instants(), weeks(minutes=5))
@example(("America/Adak", at("2024-11-03 09:59")), QuietHours(spans={5: ((65, 60),)}))
@example(("Antarctica/Troll", at("2024-10-27 01:30")), QuietHours(spans={6: ((90, 150),)}))
def test_every_instant_until_then_is_quiet_by_definition(place, quiet):
    zone, now = place

    assert_by_definition(zone, now, quiet)


def test_quiet_hours_hold_over_every_change_of_the_clocks_in_every_zone():
    # Zones whose clocks change alike are one case.
    minute = timedelta(minutes=1)
    cases = {
        (change, offset(change - minute, ZoneInfo(zone)), offset(change, ZoneInfo(zone))): zone
        for zone in ZONES
        for change in changes(zone)
    }

    for (change, *_), zone in cases.items():
        wall = change.astimezone(ZoneInfo(zone))
        shown = wall.hour * 60 + wall.minute
        for start, end in ((-60, 0), (-90, -30), (-30, 90), (30, 150)):
            span = ((shown + start) % 1440, (shown + end) % 1440)
            quiet = QuietHours(spans=dict.fromkeys(range(7), (span,)))
            assert_by_definition(zone, change, quiet)
            assert_by_definition(zone, change - timedelta(minutes=45), quiet)
