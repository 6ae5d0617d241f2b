from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.channels.vapid import Vapid, new_private_key


class Command(BaseCommand):
    help = "Make the key that push services know this site by, and print it as lines for the environment."

    def add_arguments(self, parser: CommandParser) -> None:
        sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        text = "how push services reach you: mailto:… or https://… (default: %(default)s)"
        parser.add_argument("--subject", default=f"mailto:{sender}", help=text)

    def handle(self, *, subject: str, **_: Any) -> None:
        private_key = new_private_key()
        if problems := Vapid(private_key=private_key, subject=subject).problems():
            raise CommandError(problems[0])
        # Alone on standard output, for manage.py make_vapid_keys >> .env
        self.stdout.write(f"VAPID_PRIVATE_KEY={private_key}\nVAPID_SUBJECT={subject}")
        self.stderr.write(
            "Keep them: browsers subscribe to this key, and with another one each has to be asked again. "
            "Whoever has it can write to all of them."
        )
