"""When a snooze may end: the choices of the page, by the person's own clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.utils import timezone

from notifications.labels import LABELS

HOUR = timedelta(hours=1)
MORNING, EVENING = time(9), time(18)


def ends(now: datetime) -> dict[str, datetime]:
    """Return the instants by name, in the active time zone; this evening is left out when it is near or over."""
    today = timezone.localtime(now)
    until_monday = (7 - today.weekday()) % 7 or 7
    found = {
        "in_an_hour": now + HOUR,
        "this_evening": _at(today, 0, EVENING),
        "tomorrow": _at(today, 1, MORNING),
        "next_monday": _at(today, until_monday, MORNING),
    }
    return {name: end for name, end in found.items() if name != "this_evening" or end > now + HOUR}


def choices(now: datetime) -> list[dict[str, object]]:
    """Return the same for the page, soonest first."""
    return [{"name": name, "label": LABELS[name], "until": end} for name, end in ends(now).items()]


def _at(today: datetime, days: int, clock: time) -> datetime:
    return timezone.make_aware(datetime.combine(today.date() + timedelta(days=days), clock))
