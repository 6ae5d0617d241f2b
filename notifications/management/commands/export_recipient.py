from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import clock
from notifications.management import people
from notifications.services.personal_export import export


class Command(BaseCommand):
    help = "Write everything that is held about a user as one JSON document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="a username, an e-mail address or a primary key")
        parser.add_argument("--output", type=Path, metavar="FILE", help="a new file, readable by you only; else: here")

    def handle(self, *, user: str, output: Path | None, **_: Any) -> None:
        parts = export(people.user_named(user), now=clock.now())
        if output is None:
            for part in parts:
                self.stdout.write(part, ending="")
            return
        try:
            # Personal data: for nobody else on this machine, and over nothing that is there.
            file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as e:
            raise CommandError(f"{output} cannot be written ({e.strerror}); name a file that is not there yet.") from e
        with os.fdopen(file, "w", encoding="utf-8") as document:
            document.writelines(parts)
        self.stderr.write(f"Written to {output}.")
