from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications import clock
from notifications.services.seeding import seed
from notifications.services.toml_source import TemplateFileError


class Command(BaseCommand):
    help = "Bring the templates the apps ship into the database. Repeatable; never overwrites what staff edited."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            seeded = seed(now=clock.now())
        except TemplateFileError as e:
            raise CommandError(str(e)) from e
        for code, outcome in seeded.items():
            self.stdout.write(f"{code}: {outcome}")
