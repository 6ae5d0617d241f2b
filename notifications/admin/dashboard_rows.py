"""How it stands now, as the dashboard's template shows it: in words, with a tone, and with links to the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications import conf
from notifications.admin import dashboard_links, figures
from notifications.admin.pauses import held_in_words
from notifications.services import statistics
from notifications.services.statistics import Window
from notifications.types import Channel, Priority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django_stubs_ext import StrOrPromise

    from notifications.admin.dashboard_links import Links
    from notifications.services.monitor import Lateness, Pace, Present
    from notifications.services.workload import Load, Queue

#: Seconds after which what is due is late, and very late.
LATE: dict[Priority, tuple[int, int]] = {
    Priority.URGENT: (10, 60),
    Priority.HIGH: (30, 120),
    Priority.NORMAL: (60, 300),
    Priority.LOW: (300, 1800),
}
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
    #: How fast it went lately, and how long it took. Empty: nothing was tried.
    pace: str = ""
    within: str = ""
    is_part: bool = False


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
    pace = None if channel is None else present.paces.get(channel)
    begun = dashboard_links.since(statistics.begin_of(Window.DAY, now=present.at))

    def cells(load: Load, priority: Priority | None = None) -> list[tuple[str, str]]:
        return [_cell(kind, load, links, channel, priority, begun) for kind in COLUMNS]

    if channel is None or pace is None:
        yield Row(label=label, cells=cells(queue.load))
    else:
        yield Row(label=label, cells=cells(queue.load), pace=_pace(channel, pace), within=_within(pace))
    parts = {priority: load for priority, load in queue.by_priority.items() if not load.is_empty}
    # One is the whole.
    for priority, load in parts.items() if len(parts) > 1 else ():
        yield Row(label=priority.label, cells=cells(load, priority), is_part=True)


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


def _pace(channel: Channel, pace: Pace) -> str:
    rate, most = figures.rate(pace.rate), conf.current().rate(channel)
    if not most:
        return _("%(rate)s/s") % {"rate": rate}
    return _("%(rate)s of at most %(most)s/s") % {"rate": rate, "most": figures.rate(most)}


def _within(pace: Pace) -> str:
    if pace.most_within is None:
        return ""
    return _("95 %% within %(time)s") % {"time": figures.duration(pace.most_within)}


def _worker_tone(alive: bool, fault: str) -> tuple[str, StrOrPromise]:
    if fault:
        return "bad", fault
    return ("good", gettext_lazy("alive")) if alive else ("bad", gettext_lazy("gone"))
