from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications import clock
from notifications.services import pauses
from notifications.types import PauseScope


class Command(BaseCommand):
    help = "Let go of what pause_notifications, or a circuit breaker, holds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scope", choices=PauseScope.values)
        parser.add_argument("key", nargs="?", default="", help="its code or name")

    def handle(self, *, scope: str, key: str, **options: Any) -> None:
        what = f"{scope} {key}".strip()
        lifted = pauses.resume(PauseScope(scope), key, now=clock.now())
        self.stdout.write(f"{what} goes on" if lifted else f"{what} was not held")
