"""
Count what was made, hour by hour, and add the hours up to days.

An hour is read off the primary key, which grows with time, so that a count costs as much as that hour had rows, however
many the table has. Rows change after their hour: it is counted again, ever more rarely, for a week. Safe to run many
times at once: an hour is counted by one of them, the others leave it.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet

from notifications import conf, ids
from notifications.models import DailyStat, Delivery, Event, HourlyCount

HOUR = timedelta(hours=1)
#: Hours are counted again for so many days after theirs: weekly digests and long pauses end within them.
DAYS = 7
#: How old a count may be: a minute, and one part in so many of how long ago the hour began.
MIN_AGE, SHARE = timedelta(minutes=1), 20


def run_once(now: datetime, limit: int) -> int:
    """Count the hour whose count is oldest for its age; return how many: 1 or 0, whatever the `limit`."""
    rows = _rows()
    if _begin({row.hour for row in rows}, now):
        rows = _rows()
    # One, because each holds its rows until the round is over: two rounds with several could wait for each other.
    return next((1 for row in _due(rows, now) if _recount(row, now)), 0)


def _rows() -> list[HourlyCount]:
    return list(HourlyCount.objects.only("hour", "counted_at"))


def _begin(known: set[datetime], now: datetime) -> bool:
    """Have a row for each hour that can be counted, and none for those of days that are closed; return if that is new."""
    first = _midnight(now.astimezone(UTC).date() - timedelta(days=DAYS))
    hours = [first + number * HOUR for number in range((now - first) // HOUR + 1)]
    # Of an hour that retention has begun to clear, only an earlier count is right.
    missing = [HourlyCount(hour=hour) for hour in hours if hour not in known and hour >= _kept_since(now)]
    HourlyCount.objects.bulk_create(missing, ignore_conflicts=True)
    # By whole days, so that no day is ever added up from a part of its hours.
    closed = bool(known) and min(known) < first
    if closed:
        HourlyCount.objects.filter(hour__lt=first).delete()
    return closed or bool(missing)


def _due(rows: list[HourlyCount], now: datetime) -> list[HourlyCount]:
    """Return the hours to count, those first that were not counted yet, then by how far they are behind."""
    since = _kept_since(now)
    behind = [(_behind(row, now), row) for row in rows if since <= row.hour <= now]
    return [row for late, row in sorted(behind, key=lambda pair: (-pair[0], -pair[1].hour.timestamp())) if late >= 1]


def _behind(row: HourlyCount, now: datetime) -> float:
    """Return how old a count is, as a multiple of how old it may be."""
    if row.counted_at is None:
        return float("inf")
    return (now - row.counted_at) / max(MIN_AGE, (now - row.hour) / SHARE)


def _recount(row: HourlyCount, now: datetime) -> bool:
    """Count an hour, and its day; False: another process does, or did."""
    with transaction.atomic():
        same = HourlyCount.objects.filter(pk=row.pk, counted_at=row.counted_at)
        if not list(same.select_for_update(skip_locked=True).only("pk")):
            return False
        row.counted_at = now
        row.deliveries = _numbers(
            Delivery.objects.filter(is_test=False), row.hour, "template", "channel", "priority", "state", "reason"
        )
        names = ["counted_at", "deliveries"]
        if row.hour >= now - timedelta(days=conf.current().retention_events_days):
            row.events = _numbers(Event.objects.all(), row.hour, "priority", "state")
            names.append("events")
        row.save(update_fields=names)
        _add_up(row.hour.astimezone(UTC).date())
    return True


def _numbers(rows: QuerySet[Any], hour: datetime, *names: str) -> list[list[Any]]:
    made = rows.filter(pk__gte=ids.uuid7_at(hour), pk__lt=ids.uuid7_at(hour + HOUR))
    counted = made.order_by().values_list(*names).annotate(number=Count("*"))
    return sorted(["" if value is None else value for value in line] for line in counted)


def _add_up(day: date) -> None:
    """Write the totals of a day that changed."""
    midnight = _midnight(day)
    hours = HourlyCount.objects.filter(hour__gte=midnight, hour__lt=midnight + timedelta(days=1)).order_by("hour")
    # One process at a time adds up a day: the first of its hours is the lock, and is asked for last.
    list(hours.select_for_update()[:1])
    totals: Counter[tuple[str, str, str, str]] = Counter()
    for lines in hours.values_list("deliveries", flat=True):
        for template, channel, _, state, reason, number in lines:
            totals[template, channel, state, reason] += number
    before = {(row.template, row.channel, row.state, row.reason): row for row in DailyStat.objects.filter(day=day)}
    changed = [
        DailyStat(day=day, template=key[0], channel=key[1], state=key[2], reason=key[3], number=number)
        for key, number in totals.items()
        if key not in before or before[key].number != number
    ]
    DailyStat.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["day", "template", "channel", "state", "reason"],
        update_fields=["number"],
    )
    DailyStat.objects.filter(pk__in=[row.pk for key, row in before.items() if key not in totals]).delete()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _kept_since(now: datetime) -> datetime:
    return now - timedelta(days=conf.current().retention_deliveries_days)
