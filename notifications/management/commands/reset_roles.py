"""`manage.py reset_roles "Support"`: give roles of staff back what they came with."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.registry import did_you_mean
from notifications.services import roles


class Command(BaseCommand):
    """Undo what staff changed about groups that come with the system; after an upgrade, give them what is new."""

    help = "Give the roles of staff the permissions they come with."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read the names."""
        parser.add_argument("names", nargs="*", help="such as Support; none: all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset them."""
        names = options["names"] or list(roles.ROLES)
        for name in names:
            if name not in roles.ROLES:
                raise CommandError(f"No role {name!r}{did_you_mean(name, roles.ROLES)}.")
        roles.reset(names)
        self.stdout.write(f"Reset: {', '.join(names)}.")
