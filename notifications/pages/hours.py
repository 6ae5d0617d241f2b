"""Quiet hours as a form shows and takes them: the same every day, or a week that was written elsewhere."""

from __future__ import annotations

from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from notifications.exceptions import WrongPreference
from notifications.pipeline.quiet_hours import DAILY
from notifications.pipeline.quiet_hours import WEEKDAYS as NAMES


def read(hours: dict[str, Any]) -> tuple[tuple[str, str], list[str]]:
    """Return the one span of every day, or two empty texts; and else the days, in words."""
    if not hours:
        return ("", ""), []
    daily = hours.get(DAILY, [])
    if set(hours) == {DAILY} and len(daily) == 1:
        start, end = daily[0].split("-")
        # A field for times knows no 24:00.
        return (start, "00:00" if end == "24:00" else end), []
    days = {str(WEEKDAYS[number]): hours.get(name, daily) for number, name in enumerate(NAMES)}
    return ("", ""), [f"{day}: {', '.join(spans)}" for day, spans in days.items() if spans]


def written(before: dict[str, Any], start: str, end: str, *, none: bool) -> dict[str, Any]:
    """Return the quiet hours that a form asks for; raise `WrongPreference` for half a span."""
    if bool(start) != bool(end):
        raise WrongPreference(_("Quiet hours need both times, or none."), field="quiet_hours")
    if start and start == end:
        raise WrongPreference(_("Quiet hours begin and end at the same time; leave both empty for none."))
    if start and not none:
        return {DAILY: [f"{start}-{end}"]}
    # Empty fields do not speak of what they cannot show.
    return {} if none or not read(before)[1] else before
