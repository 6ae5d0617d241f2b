from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import clock
from notifications.management import options, tables
from notifications.models import Broadcast, Delivery, Event, Template
from notifications.registry import did_you_mean
from notifications.services import redrive
from notifications.services.failed import REDRIVABLE, Obstacle, Selection
from notifications.services.redrive import Group
from notifications.types import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What is said of the kinds that have no name of their own.
BROADCASTS, EVENTS, UNKNOWN = "(broadcasts)", "(events)", "(unknown)"


class Command(BaseCommand):
    help = "Send failed deliveries, and events and broadcasts that did not get that far, round again."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--channel", type=options.channel, help="deliveries by this channel")
        add("--reason", type=options.reason, help="what failed for this reason")
        add("--template", metavar="CODE", help="what was said with this template")
        add("--since", type=options.instant, metavar="WHEN", help="what failed since then: 90m, 2d, 2026-03-01T12:00")
        add("--until", type=options.instant, metavar="WHEN", help="what failed before then")
        add("--event", type=options.uuid, metavar="ID", help="this event and its deliveries")
        add("--broadcast", type=options.uuid, metavar="ID", help="this broadcast, its events and deliveries")
        add("--delivery", type=options.uuid, nargs="+", metavar="ID", help="these deliveries")
        add("--include-unknown", action="store_true", help="also what may have been sent: some may be told twice")
        add("--limit", type=options.number, metavar="N", help="at most so many, the oldest first")
        add("--dry-run", action="store_true", help="say what would be sent round again, and change nothing")
        add("--yes", action="store_true", help="do not ask")

    def handle(self, *, limit: int | None, dry_run: bool, yes: bool, **given: Any) -> None:
        selection = _selection(given)
        now = clock.now()
        groups = redrive.count(selection, now=now)
        self._show(groups)
        ready = sum(group.number for group in groups if group.obstacle is None)
        if not ready or dry_run:
            self.stdout.write(f"{'Dry run: nothing' if dry_run else 'Nothing'} was changed.")
            return
        ready = ready if limit is None else min(ready, limit)
        if not yes and sys.stdin.isatty() and not _confirmed(f"Send {ready:,} round again? [y/N] "):
            self.stdout.write("Nothing was changed.")
            return
        done = redrive.redrive(selection, now=now, limit=limit)
        events = tables.number(done.events, "event")
        deliveries = tables.number(done.deliveries, "delivery", "deliveries")
        broadcasts = f", {tables.number(done.broadcasts, 'broadcast')}" if done.broadcasts else ""
        self.stdout.write(self.style.SUCCESS(f"Sent round again: {deliveries}, {events}{broadcasts}."))

    def _show(self, groups: Iterable[Group]) -> None:
        """Print how many of each channel and reason go, then how many stay, and why."""
        rows: list[tuple[tables.Cell, ...]] = [
            (
                group.channel or (BROADCASTS if group.reason == Reason.EXPANSION_ERROR else EVENTS),
                group.reason or UNKNOWN,
                group.number,
            )
            for group in groups
            if group.obstacle is None
        ]
        for line in tables.aligned([("channel", "reason", "number"), *rows] if rows else []):
            self.stdout.write(line)
        left: Counter[Obstacle] = Counter()
        for group in groups:
            if group.obstacle is not None:
                left[group.obstacle] += group.number
        for obstacle, number in left.most_common():
            hint = " (--include-unknown sends it again)" if obstacle is Obstacle.UNKNOWN else ""
            self.stdout.write(f"Left alone: {number:,}, {obstacle.label}{hint}")


def _selection(given: dict[str, Any]) -> Selection:
    """Return what was asked for; raise if it names what is not there."""
    template, event_id, delivery_ids = given["template"], given["event"], given["delivery"]
    if template is not None and not Template.objects.filter(code=template).exists():
        known = Template.objects.values_list("code", flat=True)
        raise CommandError(f"No template {template!r}{did_you_mean(template, known)}.")
    if event_id is not None:
        _check_event(event_id)
    if given["broadcast"] is not None and not Broadcast.objects.filter(pk=given["broadcast"]).exists():
        raise CommandError(f"No broadcast {given['broadcast']} is on record (docs/retention.md).")
    if delivery_ids is not None:
        _check_deliveries(delivery_ids)
    return Selection(
        channel=given["channel"],
        reason=given["reason"],
        template=template,
        since=given["since"],
        until=given["until"],
        event_id=event_id,
        broadcast_id=given["broadcast"],
        delivery_ids=None if delivery_ids is None else tuple(delivery_ids),
        include_unknown=given["include_unknown"],
    )


def _check_event(event_id: UUID) -> None:
    of_event = Delivery.objects.filter(event_id=event_id)
    if not Event.objects.filter(pk=event_id).exists() and not of_event.exists():
        raise CommandError(f"No event {event_id}, and no delivery of it is on record (docs/retention.md).")


def _check_deliveries(delivery_ids: list[UUID]) -> None:
    states = dict(Delivery.objects.filter(pk__in=delivery_ids).values_list("pk", "state"))
    for pk in delivery_ids:
        if pk not in states:
            raise CommandError(f"No delivery {pk} is on record (docs/retention.md).")
        if states[pk] not in REDRIVABLE:
            raise CommandError(
                f"The delivery {pk} is {states[pk]}; only failed and unknown ones can be sent round again."
            )


def _confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False
