from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from notifications.exceptions import PublishError
from notifications.management import people, tables
from notifications.models import Template
from notifications.publishing import publish_batch_notification
from notifications.types import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from notifications.types import PauseScope
    from notifications.values import DryRun, Forecast, Sample

#: Instants that are shown of each channel.
SHOWN = 10
HEAD = ("channel", "now", "later", "suppressed", "failing", "segments")


class Command(BaseCommand):
    help = "Say whom a notification would reach, by which channels, when, and in which words. Writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("template", metavar="TEMPLATE")
        to = parser.add_mutually_exclusive_group(required=True)
        to.add_argument("--audience", metavar="NAME", help="everybody in this audience")
        to.add_argument("--user", nargs="+", metavar="USER", help="usernames, e-mail addresses or primary keys")
        add("--variables", metavar="JSON", help="an object; default: the samples of the template")
        add("--channels", nargs="+", metavar="CHANNEL", help="default: all the template has wording for")
        add("--priority", help="default: the template's")
        add("--about", default="", metavar="OBJECT", help="the business object: orders.order:42")
        add("--json", action="store_true", dest="as_json", help="answer in a line of JSON")

    def handle(
        self, *, template: str, audience: str | None, user: list[str] | None, as_json: bool, **given: Any
    ) -> None:
        recipients = None if user is None else [people.user_named(name) for name in user]
        options = {name: given[name] for name in ("channels", "priority", "about")}
        options["variables"] = _variables(given["variables"], template)
        try:
            answer = publish_batch_notification(
                template, recipients=recipients, audience=audience, dry_run=True, **options
            )
        except PublishError as e:
            raise CommandError(str(e)) from e
        if as_json:
            self.stdout.write(json.dumps(asdict(answer), default=str))
        else:
            self._tell(answer)

    def _tell(self, answer: DryRun) -> None:
        write = self.stdout.write
        recipients = tables.number(answer.recipient_count, "recipient")
        write(self.style.MIGRATE_HEADING(f"{answer.template}: {recipients}, at {_shown(answer.at)}"))
        write(
            f"In {tables.number(answer.event_count, 'event')}; duplicates: {answer.duplicate_count:,}, "
            f"unknown: {answer.unknown_count:,}, inactive: {answer.inactive_count:,}"
        )
        self._tell_pauses("Everything of it", answer.paused)
        rows = [_cells(forecast, answer.at) for forecast in answer.channels]
        for line in tables.aligned([HEAD, *rows] if rows else []):
            write(line)
        for forecast in answer.channels:
            self._tell_channel(forecast, answer.at)
        for sample in answer.samples:
            self._tell_sample(sample)
        write("")
        write("Dry run: nothing was written. Caps and digests are estimates.")

    def _tell_channel(self, forecast: Forecast, at: datetime) -> None:
        later = [departure for departure in forecast.going if departure.at > at]
        for departure in later[:SHOWN]:
            why = "" if departure.reason is None else f": {departure.reason.label}"
            self.stdout.write(f"{forecast.channel}, {_shown(departure.at)}: {departure.number:,}{why}")
        if len(later) > SHOWN:
            rest = sum(departure.number for departure in later[SHOWN:])
            self.stdout.write(f"{forecast.channel}, after that: {rest:,}")
        for reason, number in sorted(forecast.suppressed.items(), key=lambda item: -item[1]):
            self.stdout.write(f"{forecast.channel}, suppressed: {number:,}, {reason.label}")
        self._tell_pauses(forecast.channel, forecast.paused)

    def _tell_pauses(self, what: str, paused: Iterable[PauseScope]) -> None:
        for scope in paused:
            self.stdout.write(self.style.WARNING(f"{what} is paused at the moment: {scope.label}"))

    def _tell_sample(self, sample: Sample) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.MIGRATE_LABEL(f"{sample.channel}, {sample.language}, to {sample.recipient}"))
        if sample.rendered is None:
            self.stdout.write(self.style.ERROR(sample.error))
            return
        text = f"{sample.rendered.title}\n{sample.rendered.body}".strip()
        self.stdout.write("\n".join(f"  {line}".rstrip() for line in text.splitlines()))


def _variables(text: str | None, template: str) -> Any:
    """Return what was passed, or the samples; the front door says what is wrong with either."""
    if text is None:
        row = Template.objects.filter(code=template).first()
        return None if row is None else row.sample()
    try:
        return json.loads(text)
    except ValueError as e:
        raise CommandError(f"--variables is no JSON: {e}") from e


def _cells(forecast: Forecast, at: datetime) -> tuple[tables.Cell, ...]:
    now = sum(departure.number for departure in forecast.going if departure.at <= at)
    later = sum(departure.number for departure in forecast.going if departure.at > at)
    segments: tables.Cell = forecast.segments if forecast.channel == Channel.SMS else "-"
    suppressed = sum(forecast.suppressed.values())
    return (forecast.channel, now, later, suppressed, forecast.unworded, segments)


def _shown(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"
