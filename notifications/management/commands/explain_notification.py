from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import capfirst

from notifications import clock
from notifications.exceptions import PublishError
from notifications.management import people
from notifications.pipeline.drafting import object_named
from notifications.services.explain import explain
from notifications.services.explanation import Basis

if TYPE_CHECKING:
    from notifications.services.explanation import Explanation


class Command(BaseCommand):
    help = "Say why somebody got a notification, or did not: what is on record, and what would happen now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="a username, an e-mail address or a primary key")
        parser.add_argument("--template", required=True, metavar="CODE", help="what they should have been told with")
        parser.add_argument("--about", default="", metavar="OBJECT", help="only about this object: orders.order:42")
        parser.add_argument("--json", action="store_true", dest="as_json", help="answer in a line of JSON")

    def handle(self, *, user: str, template: str, about: str, as_json: bool, **_: Any) -> None:
        recipient = people.user_named(user)
        try:
            explanation = explain(recipient, template, object_named(about) if about else "", now=clock.now())
        except PublishError as e:
            raise CommandError(str(e)) from e
        if as_json:
            said = {"user": str(recipient.pk), "template": template, "about": about, **asdict(explanation)}
            self.stdout.write(json.dumps(said, default=str))
            return
        self.stdout.write(f"{template} to {recipient.get_username()}" + (f", about {about}" if about else ""))
        self._tell(explanation)

    def _tell(self, explanation: Explanation) -> None:
        for basis in Basis:
            self.stdout.write("")
            self.stdout.write(self.style.MIGRATE_HEADING(capfirst(str(basis.label))))
            for line in explanation.resting_on(basis):
                self.stdout.write(f"  {'  ' if line.channel else ''}{line.text}")
