from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.management import options
from notifications.models import Broadcast
from notifications.publishing import cancel_broadcast


class Command(BaseCommand):
    help = (
        "Call a broadcast back: nothing of it that still waits is sent. pause_notifications broadcast ID only holds it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("broadcast", type=options.uuid, metavar="ID", help="see broadcast_status")

    def handle(self, *, broadcast: UUID, **_: Any) -> None:
        if not Broadcast.objects.filter(pk=broadcast).exists():
            raise CommandError(f"No broadcast {broadcast} is on record (docs/retention.md).")
        called_back = cancel_broadcast(broadcast)
        self.stdout.write(f"{broadcast} is cancelled" if called_back else f"{broadcast} had nothing left to cancel")
