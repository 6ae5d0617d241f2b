from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import clock
from notifications.services import importing
from notifications.services.toml_source import TemplateFileError

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


class Command(BaseCommand):
    help = "Make drafts of the templates in files (docs/templates.md). All of the files are taken, or none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, or folders with files")
        parser.add_argument("--by", metavar="USER", help="the account it stands under in the history")
        parser.add_argument(
            "--publish", action="store_true", help="make it live at once, with its name, rules and so on"
        )
        parser.add_argument("--replace-drafts", action="store_true", help="write over drafts that say something else")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(
        self, *, paths: list[Path], by: str | None, publish: bool, replace_drafts: bool, dry_run: bool, **_: Any
    ) -> None:
        if by is None and not dry_run:
            message = "Name the account it stands under in the history: --by USER. Or look first: --dry-run."
            raise CommandError(message)
        user = None if by is None else _account(by)
        how = importing.How(user=user, now=clock.now(), publish=publish, replace_drafts=replace_drafts, dry_run=dry_run)
        try:
            imported = importing.bring_in(paths, how)
        except TemplateFileError as e:
            message = f"{e}\nNothing was changed."
            raise CommandError(message) from e
        for one in imported:
            number = f" v{one.number}" if one.number else ""
            self.stdout.write(f"{one.name}: {one.outcome}{number}")
            for line in one.details:
                self.stdout.write(f"  {line}")
        if dry_run:
            self.stdout.write("Dry run: nothing was changed.")


def _account(name: str) -> AbstractBaseUser:
    user_model = get_user_model()
    user = user_model._default_manager.filter(**{user_model.USERNAME_FIELD: name}).first()
    if user is None:
        raise CommandError(f"There is no account {name!r}.")
    return user
