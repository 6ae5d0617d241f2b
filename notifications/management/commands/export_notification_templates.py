from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.models import Template
from notifications.registry import did_you_mean
from notifications.services import category_files, exporting


class Command(BaseCommand):
    help = "Write templates and categories into files (docs/templates.md), to review and to import elsewhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="where the files go; it is made if it is not there")
        parser.add_argument("codes", nargs="*", metavar="CODE", help="these templates only")
        parser.add_argument("--drafts", action="store_true", help="the words of the draft, where there is one")

    def handle(self, *, folder: Path, codes: list[str], drafts: bool, **_: Any) -> None:
        known = set(Template.objects.values_list("code", flat=True))
        for code in codes:
            if code not in known:
                raise CommandError(f"No template {code!r}{did_you_mean(code, known)}.")
        try:
            texts = exporting.texts(codes, drafts=drafts)
        except exporting.NotExportable as e:
            raise CommandError(str(e)) from e
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._write(folder / category_files.FILE_NAME, exporting.categories())
            for code, text in texts.items():
                if text is None:
                    self.stdout.write(f"{code}: left out, nothing is published")
                else:
                    self._write(folder / exporting.file_name(code), text)
        except OSError as e:
            raise CommandError(f"{folder}: {e.strerror or e}.") from e

    def _write(self, path: Path, text: str) -> None:
        """Write a file unless that is what it says."""
        # As bytes: a line break is one character on every machine.
        content = text.encode()
        is_same = path.exists() and path.read_bytes() == content
        if not is_same:
            path.write_bytes(content)
        self.stdout.write(f"{path}: {'unchanged' if is_same else 'written'}")
