from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import clock
from notifications.management import options
from notifications.services import api_keys

#: What a key may be for.
RIGHTS = ("publish", "read")


class Command(BaseCommand):
    help = "Make an API key for another service, and print it: this once, and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("name", metavar="NAME", help="the service it is for")
        add(
            "--template",
            nargs="+",
            action="extend",
            required=True,
            metavar="TEMPLATE",
            help="codes of what it may publish; '*' is all",
        )
        add("--may", nargs="+", choices=RIGHTS, default=RIGHTS, help="default: both")
        add("--days", type=options.number, help="it expires after so many (default: never)")

    def handle(self, *, name: str, template: list[str], may: list[str], days: int | None, **_: Any) -> None:
        now = clock.now()
        try:
            issued = api_keys.issue(
                name,
                now=now,
                templates=template,
                may_publish="publish" in may,
                may_read="read" in may,
                expires_at=None if days is None else now + timedelta(days=days),
            )
        except api_keys.WrongApiKey as e:
            raise CommandError(str(e)) from e
        except OverflowError as e:
            message = f"--days {days} leads beyond the last year there is."
            raise CommandError(message) from e
        # Alone on standard output, for KEY=$(manage.py create_api_key …).
        self.stdout.write(issued.text)
        self.stderr.write(f"The key of {issued.key}. Keep it now: it is stored nowhere, and never shown again.")
