from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications import clock
from notifications.maintenance import pruner
from notifications.maintenance.pruner import Kept
from notifications.management import options, tables

#: Rows of a class that one transaction takes away.
BATCH = 500


class Command(BaseCommand):
    help = "Take away what was kept long enough (docs/retention.md). The workers do the same, bit by bit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what was kept long enough; change nothing")
        parser.add_argument("--limit", type=options.number, metavar="N", help="take away at most N rows of each class")

    def handle(self, *, dry_run: bool, limit: int | None, **_: Any) -> None:
        counted = pruner.count(clock.now()) if dry_run else _prune(limit)
        for line in tables.aligned([(kept.value, counted[kept]) for kept in Kept]):
            self.stdout.write(line)
        if dry_run:
            self.stdout.write("Dry run: nothing was changed.")


def _prune(limit: int | None) -> Counter[Kept]:
    removed: Counter[Kept] = Counter()
    left = limit
    while left is None or left > 0:
        size = BATCH if left is None else min(BATCH, left)
        batch = pruner.prune(clock.now(), size)
        if not batch:
            break
        removed += batch
        left = None if left is None else left - size
    return removed
