"""When the next digest is due. Instants are UTC; what is expected was worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.pipeline.cadences import next_digest_at


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        pytest.param("UTC", "2026-05-04 12:00", "2026-05-04 13:00", id="strictly-after"),
        pytest.param("UTC", "2026-05-04 12:00:00.000001", "2026-05-04 13:00", id="a-microsecond-after"),
        pytest.param("UTC", "2026-05-04 12:59:59.999999", "2026-05-04 13:00", id="a-microsecond-before"),
        pytest.param("UTC", "2026-05-04 23:30", "2026-05-05 00:00", id="midnight"),
        pytest.param("Asia/Kolkata", "2026-05-04 12:00", "2026-05-04 12:30", id="half-hour-zone"),
        pytest.param("Asia/Kathmandu", "2026-05-04 12:00", "2026-05-04 12:15", id="5:45"),
        pytest.param("Asia/Kathmandu", "2026-05-04 12:15", "2026-05-04 13:15", id="5:45-strictly-after"),
        # New York, 8 March 2026: at 07:00Z from 02:00 to 03:00; 1 November: at 06:00Z from 02:00 back to 01:00.
        pytest.param("America/New_York", "2026-03-08 06:30", "2026-03-08 07:00", id="skipped-hour"),
        pytest.param("America/New_York", "2026-11-01 05:00", "2026-11-01 06:00", id="hour-twice"),
        pytest.param("America/New_York", "2026-11-01 06:00", "2026-11-01 07:00", id="after-hour-twice"),
        # Lord Howe, 2026: at 15:30Z on 3 October from 02:00 to 02:30; at 15:00Z on 4 April from 02:00 back to 01:30.
        pytest.param("Australia/Lord_Howe", "2026-10-03 14:30", "2026-10-03 16:00", id="half-hour-skipped"),
        pytest.param("Australia/Lord_Howe", "2026-04-04 14:00", "2026-04-04 15:30", id="half-hour-twice"),
        # Pyongyang: at 15:00Z on 4 May 2018 from 23:30 (+8:30) to midnight (+9).
        pytest.param("Asia/Pyongyang", "2018-05-04 14:50", "2018-05-04 15:00", id="skip-to-a-full-hour"),
        # Apia: at 10:00Z on 30 December 2011 from the end of the 29th to the start of the 31st.
        pytest.param("Pacific/Apia", "2011-12-30 09:30", "2011-12-30 10:00", id="missing-day"),
    ],
)
def test_hourly_digests_come_at_full_hours_of_the_recipient_s_clock(zone, now, due):
    assert next_digest_at(at(now), "hourly", zone) == at(due)


@pytest.mark.parametrize(
    ("zone", "hour", "now", "due"),
    [
        pytest.param("UTC", 8, "2026-05-04 07:59", "2026-05-04 08:00", id="today"),
        pytest.param("UTC", 8, "2026-05-04 08:00", "2026-05-05 08:00", id="strictly-after"),
        pytest.param("UTC", 0, "2026-05-04 08:00", "2026-05-05 00:00", id="midnight"),
        pytest.param("Asia/Kathmandu", 8, "2026-05-04 02:00", "2026-05-04 02:15", id="5:45"),
        pytest.param("Asia/Kathmandu", 8, "2026-05-04 18:20", "2026-05-05 02:15", id="their-tomorrow"),
        pytest.param("America/Los_Angeles", 8, "2026-05-05 03:00", "2026-05-05 15:00", id="their-yesterday"),
        # Berlin: +1, from 29 March to 25 October 2026 +2.
        pytest.param("Europe/Berlin", 8, "2026-03-28 07:00", "2026-03-29 06:00", id="23-hours-later"),
        pytest.param("Europe/Berlin", 8, "2026-10-24 06:00", "2026-10-25 07:00", id="25-hours-later"),
        pytest.param("Europe/Kiev", 8, "2026-03-28 06:00", "2026-03-29 05:00", id="old-name"),
        # New York, 8 March 2026: at 07:00Z from 02:00 to 03:00; 1 November: at 06:00Z from 02:00 back to 01:00.
        pytest.param("America/New_York", 2, "2026-03-08 06:59", "2026-03-08 07:00", id="hour-skipped"),
        pytest.param("America/New_York", 2, "2026-03-08 07:00", "2026-03-09 06:00", id="after-hour-skipped"),
        pytest.param("America/New_York", 1, "2026-11-01 04:59", "2026-11-01 05:00", id="hour-twice-the-first"),
        pytest.param("America/New_York", 1, "2026-11-01 05:00", "2026-11-02 06:00", id="hour-twice-once"),
        pytest.param("America/New_York", 1, "2026-11-01 05:30", "2026-11-02 06:00", id="hour-twice-not-the-second"),
        # Sao Paulo, 4 November 2018: at 03:00Z from midnight to 01:00.
        pytest.param("America/Sao_Paulo", 0, "2018-11-03 12:00", "2018-11-04 03:00", id="no-midnight"),
        # Lord Howe: at 15:30Z on 3 October 2026 from 02:00 (+10:30) to 02:30 (+11).
        pytest.param("Australia/Lord_Howe", 2, "2026-10-03 15:29", "2026-10-03 15:30", id="half-hour-skipped"),
        pytest.param("Australia/Lord_Howe", 8, "2026-10-03 15:29", "2026-10-03 21:00", id="lord-howe"),
        # St. John's, 7 November 2010: at 02:31Z from 00:01 Sunday (-2:30) back to 23:01 Saturday (-3:30).
        pytest.param("America/St_Johns", 0, "2010-11-07 03:00", "2010-11-08 03:30", id="sunday-has-begun-before"),
        # Apia: at 10:00Z on 30 December 2011 from the end of the 29th (-10) to the start of the 31st (+14).
        pytest.param("Pacific/Apia", 8, "2011-12-29 18:00", "2011-12-30 10:00", id="missing-day"),
        pytest.param("Pacific/Apia", 8, "2011-12-30 10:00", "2011-12-30 18:00", id="after-missing-day"),
    ],
)
def test_daily_digests_come_once_a_day_at_the_hour(zone, hour, now, due):
    assert next_digest_at(at(now), "daily", zone, hour=hour) == at(due)


@pytest.mark.parametrize(
    ("zone", "weekday", "now", "due"),
    [
        # 4 May 2026 is a Monday.
        pytest.param("UTC", 0, "2026-05-04 07:59", "2026-05-04 08:00", id="today"),
        pytest.param("UTC", 0, "2026-05-04 08:00", "2026-05-11 08:00", id="strictly-after"),
        pytest.param("UTC", 0, "2026-05-05 07:00", "2026-05-11 08:00", id="tuesday"),
        pytest.param("UTC", 6, "2026-05-04 12:00", "2026-05-10 08:00", id="sunday"),
        pytest.param("Asia/Kathmandu", 0, "2026-05-03 18:20", "2026-05-04 02:15", id="their-monday"),
        # Berlin: +1, from 29 March 2026 +2.
        pytest.param("Europe/Berlin", 0, "2026-03-23 07:00", "2026-03-30 06:00", id="an-hour-less"),
        # Apia: at 10:00Z on Friday, 30 December 2011 from the end of Thursday (-10) to the start of Saturday (+14).
        pytest.param("Pacific/Apia", 4, "2011-12-24 00:00", "2011-12-30 10:00", id="missing-friday"),
        pytest.param("Pacific/Apia", 4, "2011-12-30 10:00", "2012-01-05 18:00", id="after-missing-friday"),
    ],
)
def test_weekly_digests_come_on_their_weekday(zone, weekday, now, due):
    assert next_digest_at(at(now), "weekly", zone, weekday=weekday) == at(due)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cadence": "dayly"}, r"No digest cadence 'dayly' \(did you mean 'daily'\?\)\. Use one of hourly, daily,"),
        ({"cadence": "immediately"}, r"No digest cadence 'immediately'"),
        ({"zone": "Europe/Berln"}, r"No time zone 'Europe/Berln' \(did you mean 'Europe/Berlin'\?\)"),
        ({"hour": 24}, "No digest at hour 24 of weekday 0; hours are 0 to 23"),
        ({"weekday": 7}, "No digest at hour 8 of weekday 7; .* weekdays 0 to 6"),
    ],
)
def test_what_is_not_known_is_refused_in_words(arguments, words):
    with pytest.raises(ValueError, match=words):
        next_digest_at(at("2026-05-04 12:00"), **{"cadence": "daily", "zone": "UTC"} | arguments)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(available_timezones() - {"localtime"})),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 23),
    st.integers(0, 6),
)
def test_the_next_digest_is_the_first_that_the_clock_shows(zone, now, hour, weekday):
    tz = ZoneInfo(zone)
    hourly, daily, weekly = (
        next_digest_at(now, cadence, zone, hour=hour, weekday=weekday) for cadence in ("hourly", "daily", "weekly")
    )

    minutes = (now.replace(second=0, microsecond=0) + timedelta(minutes=n) for n in range(1, 200))
    assert hourly == next(minute for minute in minutes if minute.astimezone(tz).minute == 0)
    hours = [hourly + timedelta(minutes=15 * n) for n in range(4 * 24 * 8 + 5)]
    days = [(moment.astimezone(tz).weekday(), moment) for moment in hours if shows(moment.astimezone(tz), hour)]
    assert daily == days[0][1]
    assert weekly == next(moment for day, moment in days if day == weekday)


def shows(local, hour):
    """Whether a digest is due: at the hour for the first time today, or where a skip over it ends."""
    before = (local.astimezone(UTC) - timedelta(minutes=15)).astimezone(local.tzinfo).replace(tzinfo=None)
    wall = local.replace(tzinfo=None)
    due = wall.replace(hour=hour, minute=0, second=0, microsecond=0)
    return not local.fold and before < due <= wall
