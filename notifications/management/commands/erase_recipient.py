from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import clock
from notifications.management import people
from notifications.services import erasing
from notifications.types import ErasureStep

#: Seconds until somebody who holds a row is asked again.
WAIT = 1.0


class Command(BaseCommand):
    help = "Erase everything that is held about a user; what it counts for stays. See docs/personal-data.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="a username, an e-mail address or a primary key")
        parser.add_argument("--dry-run", action="store_true", help="count what would go, and change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--note", default="", help="what it is done upon: a ticket, a letter")
        parser.add_argument("--never-write", action="store_true", help="take the addresses out of use, too")

    def handle(self, *, user: str, dry_run: bool, yes: bool, note: str, never_write: bool, **_: Any) -> None:
        recipient = people.user_named(user)
        self.stdout.write(f"Held about user {recipient.pk} ({recipient.get_username()}):")
        for name, number in erasing.foresee(recipient, with_events=dry_run).items():
            self.stdout.write(f"  {number:>7}  {name}")
        if dry_run:
            return
        if not yes and input(f"Type {recipient.get_username()} to erase all of it: ") != recipient.get_username():
            message = "Not erased: that is not the user name."
            raise CommandError(message)
        self._erase(recipient, note=note, never_write=never_write)
        if recipient.is_active:
            self.stdout.write("The account is active: what is published for it from now on is stored anew.")

    def _erase(self, recipient: Any, *, note: str, never_write: bool) -> None:
        now = clock.now()
        erasure = erasing.open_one(recipient) or erasing.request(
            recipient, by=None, note=note, never_write=never_write, now=now
        )
        erasing.hurry(erasure, now=now)
        while erasure.step != ErasureStep.DONE:
            self.stdout.write(f"Waiting for a worker that holds some of the {erasure.get_step_display()} …")
            time.sleep(WAIT)
            erasing.hurry(erasure, now=clock.now())
        done = ", ".join(f"{number} {step}" for step, number in erasure.done)
        self.stdout.write(f"Erased: {done or 'there was nothing'}.")
