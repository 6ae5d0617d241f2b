"""The dashboard's figures as its template shows them: in words, with a tone, and with links to the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications import conf
from notifications.admin import charts, dashboard_links, figures
from notifications.admin.pauses import held_in_words
from notifications.services import statistics
from notifications.services.statistics import Volume, Window
from notifications.types import Channel, Priority, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django_stubs_ext import StrOrPromise

    from notifications.admin.charts import Chart
    from notifications.admin.dashboard_links import Links
    from notifications.services.monitor import Lateness, Pace, Present
    from notifications.services.statistics import Failure, Period, Statistics
    from notifications.services.workload import Load, Queue

#: Seconds after which what is due is late, and very late.
LATE: dict[Priority, tuple[int, int]] = {
    Priority.URGENT: (10, 60),
    Priority.HIGH: (30, 120),
    Priority.NORMAL: (60, 300),
    Priority.LOW: (300, 1800),
}
#: Reasons shown.
TOP = 10
#: Columns of the queue monitor, as `workload.Load` names them.
COLUMNS = ("due", "active", "delayed", "held", "completed", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A figure, large."""

    label: StrOrPromise
    value: str
    words: StrOrPromise
    #: good, warning, bad, or quiet: the words say the same.
    tone: str = "quiet"
    #: Where it leads. Empty: nowhere.
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the queue monitor."""

    label: StrOrPromise
    #: [(figure, where it leads)], in the order of `COLUMNS`.
    cells: list[tuple[str, str]]
    pace: str
    is_part: bool = False


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


def of_present(present: Present, links: Links) -> dict[str, Any]:
    """Return what the template shows of how it stands now."""
    alive = [worker for worker in present.workers if worker.alive]
    return {
        "present": present,
        "at": localtime(present.at).strftime("%H:%M:%S"),
        "lateness": [_lateness(late, links) for late in present.lateness],
        "held": [held_in_words(pause) for pause in present.pauses],
        "numbers": _numbers(present, links),
        "rows": [row for queue in present.queues for row in _rows(queue, present, links)],
        "alive": len(alive),
        "workers": [
            (worker, figures.duration(worker.silent), _worker_tone(worker.alive, worker.fault))
            for worker in present.workers
        ],
        "summary": _summary(present, len(alive)),
        "digests_late": figures.duration(present.digests_late) if present.digests_late > LATE[Priority.LOW][0] else "",
    }


def of_past(past: Statistics, links: Links) -> dict[str, Any]:
    """Return what the template shows of a window."""
    return {
        "outcomes": [_outcome(Channel(channel), past) for channel in past.totals],
        "kinds": charts.KINDS,
        "failures": [_failure(failure, past, links) for failure in past.failures[:TOP]],
        "axis": [_label(past.periods[index], past.window) for index in (0, len(past.periods) // 2, -1)],
    }


def _lateness(late: Lateness, links: Links) -> Tile:
    warn, bad = LATE[late.priority]
    label, where = Priority(late.priority).label, _("in dispatch") if late.channel is None else late.channel.label
    if not late.seconds:
        return Tile(label=label, value="0 s", words=_("nothing is late"), tone="good")
    words, tone = _("very late, %(where)s"), "bad"
    if late.seconds < warn:
        words, tone = _("on time, %(where)s"), "good"
    elif late.seconds < bad:
        words, tone = _("late, %(where)s"), "warning"
    return Tile(
        label=label,
        value=figures.duration(late.seconds),
        words=words % {"where": where},
        tone=tone,
        link=links.to_rows("due", late.channel, late.priority),
    )


def _numbers(present: Present, links: Links) -> list[Tile]:
    load, sent = present.load, present.sent.completed
    begun = dashboard_links.since(statistics.begin_of(Window.DAY, now=present.at))
    return [
        Tile(label=_("Due"), value=_counted(load.due, load), words=_("wait for a worker")),
        Tile(label=_("Sending"), value=figures.number(load.active), words=_("are in the hands of one")),
        Tile(label=_("Delayed"), value=_counted(load.delayed, load), words=_("wait for their time")),
        Tile(
            label=_("Held"),
            value=_counted(load.held, load),
            words=_("wait for a pause to end"),
            tone="warning" if load.held else "quiet",
            link=links.to_pauses() if load.held else "",
        ),
        Tile(
            label=_("Sent"),
            value=figures.number(sent),
            words=_("of the last 24 hours"),
            link=links.to_deliveries(state__exact="sent", **begun) if sent else "",
        ),
        Tile(
            label=_("Failed"),
            value=figures.number(load.failed),
            words=_("of the last 24 hours"),
            tone="bad" if load.failed else "quiet",
            link=reverse("admin:notifications_failures") if load.failed else "",
        ),
    ]


def _summary(present: Present, alive: int) -> str:
    """Return the state in one sentence, read out when it changes: nothing in it moves while all is well."""
    late = [late for late in present.lateness if late.seconds >= LATE[late.priority][0]]
    workers = ngettext("%(number)d worker is alive", "%(number)d workers are alive", alive) % {"number": alive}
    if not late:
        return _("Nothing is late; %(workers)s.") % {"workers": workers}
    names = ", ".join(str(one.priority.label) for one in late)
    return _("Late: %(names)s; %(workers)s.") % {"names": names, "workers": workers}


def _rows(queue: Queue, present: Present, links: Links) -> Iterable[Row]:
    channel = queue.channel
    label = _("dispatch of events") if channel is None else channel.label
    pace = "" if channel is None else _pace(channel, present.paces.get(channel))
    begun = dashboard_links.since(statistics.begin_of(Window.DAY, now=present.at))

    def cells(load: Load, priority: Priority | None = None) -> list[tuple[str, str]]:
        return [_cell(kind, load, links, channel, priority, begun) for kind in COLUMNS]

    yield Row(label=label, cells=cells(queue.load), pace=pace)
    parts = {priority: load for priority, load in queue.by_priority.items() if not load.is_empty}
    # One is the whole.
    for priority, load in parts.items() if len(parts) > 1 else ():
        yield Row(label=priority.label, cells=cells(load, priority), pace="", is_part=True)


def _cell(
    kind: str, load: Load, links: Links, channel: Channel | None, priority: Priority | None, begun: dict[str, str]
) -> tuple[str, str]:
    """Return a figure of the queue monitor, and where it leads: of nothing, nowhere."""
    number = getattr(load, kind)
    if kind in {"completed", "failed"}:
        return figures.number(number), links.to_rows(kind, channel, priority, **begun) if number else ""
    shown = figures.number(number) if kind == "active" else _counted(number, load)
    return shown, links.to_rows(kind, channel, priority) if number else ""


def _counted(value: int, load: Load) -> str:
    return figures.number(value, at_least=bool(value) and load.at_least)


def _pace(channel: Channel, pace: Pace | None) -> str:
    if pace is None:
        return ""
    said, most = _("%(rate)s/s") % {"rate": figures.rate(pace.rate)}, conf.current().rate(channel)
    if most:
        said = _("%(rate)s of at most %(most)s/s") % {"rate": figures.rate(pace.rate), "most": figures.rate(most)}
    if pace.most_within is not None:
        said += _(", 95 %% within %(time)s") % {"time": figures.duration(pace.most_within)}
    return said


def _worker_tone(alive: bool, fault: str) -> tuple[str, StrOrPromise]:
    if fault:
        return "bad", fault
    return ("good", gettext_lazy("alive")) if alive else ("bad", gettext_lazy("gone"))


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
