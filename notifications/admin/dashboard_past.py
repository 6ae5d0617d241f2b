"""What became of the deliveries of a window, as the dashboard's template shows it: bars, their tables, and reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

from notifications.admin import charts, dashboard_links, figures
from notifications.services.statistics import Volume, Window
from notifications.types import Channel, Reason

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from notifications.admin.charts import Chart
    from notifications.admin.dashboard_links import Links
    from notifications.services.statistics import Failure, Period, Statistics

#: Reasons shown.
TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the deliveries of a channel."""

    channel: Channel
    volume: Volume
    numbers: list[tuple[str, StrOrPromise, str]]
    failed_share: str
    chart: Chart
    #: [(when, numbers)], the newest first.
    table: list[tuple[str, list[str]]]


def of_past(past: Statistics, links: Links) -> dict[str, Any]:
    """Return what the template shows of a window."""
    return {
        "outcomes": [_outcome(Channel(channel), past) for channel in past.totals],
        "kinds": charts.KINDS,
        "failures": [_failure(failure, past, links) for failure in past.failures[:TOP]],
        "axis": [_label(past.periods[index], past.window) for index in (0, len(past.periods) // 2, -1)],
    }


def _outcome(channel: Channel, past: Statistics) -> Outcome:
    volumes = [(_label(period, past.window), period.volumes.get(channel, Volume())) for period in past.periods]
    total = past.totals[channel]
    return Outcome(
        channel=channel,
        volume=total,
        numbers=[(kind, words, figures.number(getattr(total, kind))) for kind, words in charts.KINDS],
        failed_share=figures.share(total.failed, total.sent + total.failed),
        chart=charts.stacked(volumes),
        table=[
            (label, [figures.number(getattr(volume, kind)) for kind, _words in charts.KINDS])
            for label, volume in reversed(volumes)
        ],
    )


def _label(period: Period, window: Window) -> str:
    """Return the hour in the reader's time zone; the day as it is counted, in UTC."""
    if window == Window.DAY:
        return localtime(period.begins_at).strftime("%H:%M")
    return date_format(period.begins_at.date(), "MONTH_DAY_FORMAT")


def _failure(failure: Failure, past: Statistics, links: Links) -> dict[str, Any]:
    asked = {"state__exact": failure.state.value, "channel__exact": failure.channel}
    if failure.reason:
        asked["reason__exact"] = failure.reason
    return {
        "channel": Channel(failure.channel).label,
        "words": Reason(failure.reason).label if failure.reason else failure.state.label,
        "link": links.to_deliveries(**asked, **dashboard_links.since(past.periods[0].begins_at)),
        "number": figures.number(failure.number),
        "share": figures.share(failure.number, sum(one.number for one in past.failures)),
    }
