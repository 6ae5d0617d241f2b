from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.text import capfirst

from notifications import clock
from notifications.management import options, tables
from notifications.services.audit import audit

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.services.audit import Audit, Finding


class Command(BaseCommand):
    help = "Check that everything that was accepted is delivered or explained. Exits 1 if something is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            type=options.instant,
            metavar="WHEN",
            help="look at what was published since then: 36h, 2d, 2026-03-01; default: all events that are still there",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="answer in a line of JSON")

    def handle(self, *, since: datetime | None, as_json: bool, **_: Any) -> None:
        audited = audit(now=clock.now(), since=since)
        if as_json:
            self.stdout.write(json.dumps({"ok": not audited.findings, **asdict(audited)}, default=str))
        else:
            self._tell(audited)
        if audited.findings:
            raise SystemExit(1)

    def _tell(self, audited: Audit) -> None:
        for finding in audited.findings:
            self._tell_finding(finding)
        looked_at = (
            f"{tables.number(audited.events, 'event')}, {tables.number(audited.deliveries, 'delivery', 'deliveries')}"
        )
        found = sum(finding.number for finding in audited.findings)
        verdict = tables.number(found, "breach", "breaches") if found else "all delivered or explained"
        style = self.style.ERROR if found else self.style.SUCCESS
        self.stdout.write(style(f"{looked_at}: {verdict}."))

    def _tell_finding(self, finding: Finding) -> None:
        self.stdout.write(self.style.WARNING(f"{capfirst(finding.kind.label)}: {finding.number:,}"))
        for breach in finding.first:
            self.stdout.write(f"  {breach.id}  {breach.detail}")
        if finding.number > len(finding.first):
            self.stdout.write(f"  … and {finding.number - len(finding.first):,} more")
        self.stdout.write("")
