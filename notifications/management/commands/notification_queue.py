from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandParser

from notifications import clock
from notifications.management import options, tables
from notifications.services import queue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from notifications.services.queue import ActorQueue

#: Seconds between two looks.
WATCH = 2.0
#: Seconds after which what is due is late, and very late.
LATE, VERY_LATE = 60, 300
#: To the top left, and clear what is below.
CLEAR = "\x1b[H\x1b[J"
HEAD = ("actor", "oldest due", "waiting", "delayed", "active", "completed", "failed")


class Command(BaseCommand):
    help = "Show what waits, is under way and was done, for each actor; what has been due longest comes first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--watch",
            nargs="?",
            type=options.seconds,
            const=WATCH,
            metavar="SECONDS",
            help=f"show it again and again, every {WATCH:g} seconds or as given, until Ctrl-C",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="show it as a line of JSON")

    def handle(self, *, watch: float | None, as_json: bool, **_: Any) -> None:
        show = self._show_json if as_json else self._show_table
        if watch is None:
            show(clock.now())
        else:
            self._watch(show, watch, redraw=self.stdout.isatty() and not as_json)

    def _watch(self, show: Callable[[datetime], None], seconds: float, *, redraw: bool) -> None:
        try:
            while True:
                if redraw:
                    self.stdout.write(CLEAR, ending="")
                show(clock.now())
                self.stdout.flush()
                time.sleep(seconds)
        except KeyboardInterrupt:
            # The way to end it, not an error.
            return

    def _show_table(self, now: datetime) -> None:
        lines = queue.queues(now=now)
        head, *texts = tables.aligned([HEAD, *[_cells(line, now) for line in lines]])
        self.stdout.write(self.style.MIGRATE_HEADING(head))
        for line, text in zip(lines, texts, strict=True):
            age = _age(line, now) or 0
            style = str if age < LATE else self.style.WARNING if age < VERY_LATE else self.style.ERROR
            self.stdout.write(style(text))
        self.stdout.write("Completed and failed: in the last 24 hours.")

    def _show_json(self, now: datetime) -> None:
        lines = []
        for line in queue.queues(now=now):
            due_at = line.oldest_due_at and line.oldest_due_at.isoformat()
            lines.append({**asdict(line), "oldest_due_at": due_at, "oldest_due_seconds": _age(line, now)})
        self.stdout.write(json.dumps({"at": now.isoformat(), "queues": lines}))


def _cells(line: ActorQueue, now: datetime) -> tuple[tables.Cell, ...]:
    age = _age(line, now)
    oldest = "-" if age is None else tables.duration(age)
    return (line.actor, oldest, line.waiting, line.delayed, line.active, line.completed, line.failed)


def _age(line: ActorQueue, now: datetime) -> float | None:
    return None if line.oldest_due_at is None else (now - line.oldest_due_at).total_seconds()
