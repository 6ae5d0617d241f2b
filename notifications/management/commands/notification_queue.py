from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandParser

from notifications.management import tables, watching
from notifications.services import queue

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.services.queue import ActorQueue

#: Seconds after which what is due is late, and very late.
LATE, VERY_LATE = 60, 300
HEAD = ("actor", "oldest due", "waiting", "delayed", "active", "completed", "failed")


class Command(BaseCommand):
    help = "Show what waits, is under way and was done, for each actor; what has been due longest comes first."

    def add_arguments(self, parser: CommandParser) -> None:
        watching.add_option(parser)
        parser.add_argument("--json", action="store_true", dest="as_json", help="show it as a line of JSON")

    def handle(self, *, watch: float | None, as_json: bool, **_: Any) -> None:
        show = self._show_json if as_json else self._show_table
        watching.watch(show, watch, self.stdout, redraw=not as_json)

    def _show_table(self, now: datetime) -> bool:
        lines = queue.queues(now=now)
        head, *texts = tables.aligned([HEAD, *[_cells(line, now) for line in lines]])
        self.stdout.write(self.style.MIGRATE_HEADING(head))
        for line, text in zip(lines, texts, strict=True):
            age = _age(line, now) or 0
            style = str if age < LATE else self.style.WARNING if age < VERY_LATE else self.style.ERROR
            self.stdout.write(style(text))
        self.stdout.write("Completed and failed: in the last 24 hours.")
        return True

    def _show_json(self, now: datetime) -> bool:
        lines = []
        for line in queue.queues(now=now):
            due_at = line.oldest_due_at and line.oldest_due_at.isoformat()
            lines.append({**asdict(line), "oldest_due_at": due_at, "oldest_due_seconds": _age(line, now)})
        self.stdout.write(json.dumps({"at": now.isoformat(), "queues": lines}))
        return True


def _cells(line: ActorQueue, now: datetime) -> tuple[tables.Cell, ...]:
    age = _age(line, now)
    oldest = "-" if age is None else tables.duration(age)
    return (line.actor, oldest, line.waiting, line.delayed, line.active, line.completed, line.failed)


def _age(line: ActorQueue, now: datetime) -> float | None:
    return None if line.oldest_due_at is None else (now - line.oldest_due_at).total_seconds()
