from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import clock
from notifications.services import pauses
from notifications.types import PauseScope


class Command(BaseCommand):
    help = "Hold everything, a template, a category, a channel, a backend or a broadcast. What is held waits; nothing is dropped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scope", choices=PauseScope.values)
        parser.add_argument("key", nargs="?", default="", help="its code or name")
        parser.add_argument("--minutes", type=float, help="let go by itself after so long (default: when resumed)")
        parser.add_argument("--note", default="", help="why, for the others")

    def handle(self, *, scope: str, key: str, minutes: float | None, note: str, **options: Any) -> None:
        if minutes is not None and not 0 < minutes < 1_000_000:
            message = f"--minutes is {minutes:g}; pass a number above zero."
            raise CommandError(message)
        now = clock.now()
        until = None if minutes is None else now + timedelta(minutes=minutes)
        try:
            new = pauses.pause(PauseScope(scope), key, now=now, until=until, note=note[:200])
        except pauses.UnknownHold as e:
            raise CommandError(str(e)) from e
        what = f"{scope} {key}".strip()
        self.stdout.write(f"{what} is held" if new else f"{what} was held already")
