from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.management import options, tables, watching
from notifications.models import Broadcast
from notifications.pipeline import pausing
from notifications.services import broadcasts

if TYPE_CHECKING:
    from datetime import datetime

#: Broadcasts of the list.
SHOWN = 20
#: Characters of a progress bar.
WIDTH = 24
HEAD = ("broadcast", "template", "state", "progress", "recipients", "sent", "failed", "skipped", "rate", "left")


class Command(BaseCommand):
    help = "Show how far broadcasts are: those under way and the latest, or one of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("broadcast", nargs="?", type=options.uuid, metavar="ID", help="show all there is to one")
        watching.add_option(parser)
        parser.add_argument("--json", action="store_true", dest="as_json", help="show a line of JSON for each")

    def handle(self, *, broadcast: UUID | None, watch: float | None, as_json: bool, **_: Any) -> None:
        if broadcast is not None and not Broadcast.objects.filter(pk=broadcast).exists():
            raise CommandError(f"No broadcast {broadcast} is on record (docs/retention.md).")

        def show(now: datetime) -> bool:
            rows = _rows(broadcast, now)
            if as_json:
                for row in rows:
                    self.stdout.write(json.dumps(_figures(row, now)))
            elif broadcast is None:
                self._list(rows, now)
            else:
                self._one(rows[0], now)
            # The list is watched until Ctrl-C; one broadcast until it is over.
            return broadcast is None or rows[0].completed_at is None

        watching.watch(show, watch, self.stdout, redraw=not as_json)

    def _list(self, rows: list[Broadcast], now: datetime) -> None:
        if not rows:
            self.stdout.write("There are no broadcasts.")
            return
        head, *lines = tables.aligned([HEAD, *[_cells(row, now) for row in rows]])
        self.stdout.write(self.style.MIGRATE_HEADING(head))
        for row, line in zip(rows, lines, strict=True):
            self.stdout.write(self.style.ERROR(line) if row.last_error else line)

    def _one(self, row: Broadcast, now: datetime) -> None:
        figures = _figures(row, now)
        self.stdout.write(self.style.MIGRATE_HEADING(f"{figures['template']}, broadcast {figures['id']}"))
        self.stdout.write(f"{_bar(broadcasts.fraction(row))}  {figures['state']}")
        shown = [(name.replace("_", " "), value) for name, value in figures.items() if name not in {"id", "template"}]
        cells = [(name, value) for name, value in shown if isinstance(value, int | str) and value != ""]
        width = max(len(name) for name, _ in cells)
        for name, value in cells:
            self.stdout.write(
                f"  {name:{width}}  {value:,}" if isinstance(value, int) else f"  {name:{width}}  {value}"
            )


def _rows(broadcast: UUID | None, now: datetime) -> list[Broadcast]:
    """Return what is to be shown, measured now: with no worker running, too."""
    if broadcast is not None:
        rows = list(Broadcast.objects.filter(pk=broadcast))
    else:
        under_way = list(Broadcast.objects.filter(completed_at__isnull=True).order_by("due_at")[:SHOWN])
        rows = under_way + list(Broadcast.objects.filter(completed_at__isnull=False)[: SHOWN - len(under_way)])
    for row in rows:
        if row.completed_at is None and row.due_at <= now:
            broadcasts.measure(row, now=now)
    return rows


def _state(row: Broadcast, now: datetime) -> str:
    held = pausing.current(now)
    if row.completed_at is None and (held.everything or row.pk in held.broadcasts or row.template_id in held.templates):
        return "paused"
    if row.completed_at is None and row.cancelled_at is None and row.state == "expanded":
        return "sending"
    return "cancelled" if row.cancelled_at is not None else "complete" if row.state == "expanded" else row.state


def _figures(row: Broadcast, now: datetime) -> dict[str, Any]:
    time_left = broadcasts.left(row)
    return {
        "id": str(row.pk),
        "template": row.template_id,
        "audience": row.audience,
        "state": _state(row, now),
        "due_at": row.due_at.isoformat(timespec="seconds"),
        "progress": f"{broadcasts.fraction(row):.1%}",
        "recipients": "not counted yet" if row.recipient_count is None else row.recipient_count,
        "duplicates": row.duplicate_count,
        "events_made_for": row.expanded_count,
        "told": row.told_count,
        "unknown": row.unknown_count,
        "inactive": row.inactive_count,
        "deliveries": row.planned_count,
        "sent": row.sent_count,
        "failed": row.failed_count,
        "skipped": row.skipped_count,
        "per_second": f"{row.rate:.1f}",
        "left": "" if time_left is None else tables.duration(time_left.total_seconds()),
        "completed_at": "" if row.completed_at is None else row.completed_at.isoformat(timespec="seconds"),
        "error": row.last_error,
    }


def _cells(row: Broadcast, now: datetime) -> tuple[tables.Cell, ...]:
    figures = _figures(row, now)
    recipients = "?" if row.recipient_count is None else row.recipient_count
    bar = _bar(broadcasts.fraction(row))
    counts = (row.sent_count, row.failed_count, row.skipped_count)
    rate = f"{figures['per_second']}/s" if row.completed_at is None else "-"
    return (figures["id"], row.template_id, figures["state"], bar, recipients, *counts, rate, figures["left"] or "-")


def _bar(part: float) -> str:
    full = int(part * WIDTH)
    return f"[{'█' * full}{'·' * (WIDTH - full)}] {part:4.0%}"
