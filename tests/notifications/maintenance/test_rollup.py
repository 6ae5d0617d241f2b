"""The counts: right, right again after a change, kept when the rows go, and read off the primary key."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from notifications.maintenance import rollup
from notifications.models import DailyStat, Delivery, HourlyCount
from notifications.services import statistics
from notifications.services.statistics import Volume, Window
from notifications.types import DeliveryState, EventState, Priority, Reason
from tests.notifications.pipeline.test_claiming import make_delivery, make_event
from tests.plans import plans_of, prefer_indexes, reads_all

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEK = rollup.DAYS


@pytest.fixture(autouse=True)
def two_days(monkeypatch):
    """Go back two days: to count all hours of a week takes seconds, most of them hours without a row."""
    monkeypatch.setattr(rollup, "DAYS", 2)


def make(when, state=DeliveryState.SENT, **changes):
    with time_machine.travel(when, tick=False):
        return make_delivery(state=state, **changes)


def count(now=NOW):
    """Run until nothing is left to count; return how many rounds did something."""
    rounds = 0
    while rollup.run_once(now, 500):
        rounds += 1
        assert rounds < 1000
    return rounds


def totals():
    return {(row.day, row.template, row.channel, row.state, row.reason): row.number for row in DailyStat.objects.all()}


def test_days_are_counted_by_template_channel_state_and_reason(template):
    make(NOW, template=template)
    make(NOW - 12 * HOUR, template=template)
    make(NOW - HOUR, state=DeliveryState.FAILED, reason=Reason.REJECTED, template=template)
    make(NOW - 13 * HOUR)
    make(NOW, channel="sms")

    count()

    assert totals() == {
        (date(2026, 3, 10), "ORDER_CREATED", "email", "sent", ""): 2,
        (date(2026, 3, 10), "ORDER_CREATED", "email", "failed", "rejected"): 1,
        (date(2026, 3, 10), "", "sms", "sent", ""): 1,
        (date(2026, 3, 9), "", "email", "sent", ""): 1,
    }


def test_counted_again_it_is_the_same_and_nothing_is_counted_twice_in_a_minute():
    make(NOW)
    count()
    before = totals()

    assert count(NOW + 30 * timedelta(seconds=1)) == 0
    assert count(NOW + DAY / 2) > 0
    assert totals() == before


def test_what_changes_after_its_hour_is_counted_anew():
    row = make(NOW - 2 * DAY, state=DeliveryState.PENDING)
    count()
    Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.SENT, finished_at=NOW)

    count(NOW + 3 * HOUR)

    assert list(totals().values()) == [1]
    assert [state for _, _, _, state, _ in totals()] == ["sent"]


def test_days_stay_when_their_rows_and_their_hours_are_gone():
    row = make(NOW)
    count()
    before = totals()
    row.delete()

    count(NOW + 8 * DAY)

    assert totals() == before
    assert not HourlyCount.objects.filter(hour__lt=NOW - DAY).exists()


def test_hours_that_retention_clears_keep_their_count(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RETENTION_DELIVERIES_DAYS": 1}
    row = make(NOW)
    count()
    before = totals()
    row.delete()

    count(NOW + 2 * DAY)

    assert totals() == before


def test_a_fresh_count_of_another_process_is_left_alone():
    make(NOW)
    rollup.run_once(NOW, 500)
    seen = HourlyCount.objects.get(hour=NOW.replace(minute=0))
    stale = HourlyCount(hour=seen.hour, counted_at=NOW - HOUR)

    assert not rollup._recount(stale, NOW + HOUR)
    assert HourlyCount.objects.get(pk=seen.pk).counted_at == NOW


def test_a_day_has_24_hours_and_each_channel_its_volume():
    for state in (DeliveryState.SENT, DeliveryState.DIGESTED, DeliveryState.FAILED, DeliveryState.UNKNOWN):
        make(NOW, state=state)
    make(NOW - 23 * HOUR, state=DeliveryState.EXPIRED)
    make(NOW - 23 * HOUR, state=DeliveryState.PENDING, channel="sms")
    make(NOW - 24 * HOUR, channel="sms")
    count()

    found = statistics.of(Window.DAY, now=NOW)

    assert len(found.periods) == 24
    assert found.periods[-1].volumes == {"email": Volume(sent=2, failed=2)}
    assert found.periods[0].volumes == {"email": Volume(withheld=1), "sms": Volume(open=1)}
    assert found.totals == {"email": Volume(sent=2, failed=2, withheld=1), "sms": Volume(open=1)}
    assert {(failure.state, failure.number) for failure in found.failures} == {("failed", 1), ("unknown", 1)}


def test_a_week_and_a_month_go_by_days_of_utc(monkeypatch):
    monkeypatch.setattr(rollup, "DAYS", WEEK)
    make(NOW - 6 * DAY)
    make(NOW - 12 * HOUR - 31 * MINUTE, state=DeliveryState.FAILED, reason=Reason.REJECTED)
    count()
    DailyStat.objects.create(day=date(2026, 2, 9), channel="email", state="sent", number=5)
    DailyStat.objects.create(day=date(2026, 2, 8), channel="email", state="sent", number=7)

    assert HourlyCount.objects.earliest("hour").hour == datetime(2026, 3, 3, tzinfo=UTC)
    week, month = (statistics.of(window, now=NOW) for window in (Window.WEEK, Window.MONTH))

    assert [period.begins_at.day for period in week.periods] == [4, 5, 6, 7, 8, 9, 10]
    assert [period.volumes for period in week.periods][:6:5] == [
        {"email": Volume(sent=1)},
        {"email": Volume(failed=1)},
    ]
    assert month.totals == {"email": Volume(sent=6, failed=1)}


def test_templates_are_told_apart_and_those_without_a_delivery_are_there(template):
    make(NOW, template=template)
    make(NOW - DAY, state=DeliveryState.SUPPRESSED, template=template)
    make(NOW - 2 * DAY, template=template)
    make(NOW)
    count()

    found = statistics.of_templates(["ORDER_CREATED", "OTHER"], days=2, now=NOW)

    assert found == {"ORDER_CREATED": Volume(sent=1, withheld=1), "OTHER": Volume()}


def test_lately_knows_priorities_and_events(template):
    make(NOW, priority=Priority.URGENT)
    with time_machine.travel(NOW, tick=False):
        make_event(template, priority=Priority.HIGH, state=EventState.FAILED)
    count()

    deliveries, events = statistics.lately(now=NOW)

    assert deliveries == {("email", Priority.URGENT, "sent"): 1}
    assert events == {(Priority.HIGH, "failed"): 1}


def test_an_hour_is_read_off_the_primary_key():
    prefer_indexes()
    for table in ("notifications_delivery", "notifications_event"):
        for statement, plan in plans_of(lambda: rollup.run_once(NOW, 1), table=table):
            assert not reads_all(plan, table=table), statement
        HourlyCount.objects.all().delete()
