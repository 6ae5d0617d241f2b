from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import clock
from notifications.services import api_keys


class Command(BaseCommand):
    help = "Take an API key back, for good: from now on it opens nothing. What it published goes its way."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", metavar="PREFIX", help="the middle part of the key; see the admin")

    def handle(self, *, prefix: str, **_: Any) -> None:
        try:
            # The whole key will do, too: who finds one in a log pastes all of it.
            keys = api_keys.named(api_keys.prefix_of(prefix) or prefix)
        except api_keys.WrongApiKey as e:
            raise CommandError(str(e)) from e
        (key,) = keys
        revoked = api_keys.revoke(keys, now=clock.now())
        self.stdout.write(f"{key} is revoked" if revoked else f"{key} was revoked already")
