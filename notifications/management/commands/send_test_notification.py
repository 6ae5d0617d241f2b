from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import conf, registry
from notifications.exceptions import DeliveryError, PublishError, RenderError, TransientError, WrongPreference
from notifications.management import people
from notifications.models.endpoints import REGISTERED
from notifications.services import trials
from notifications.services.trials import Place
from notifications.types import Channel
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence


class Command(BaseCommand):
    help = "Send a test message by a channel, really, and print what the provider answers. Exits with 1 if it is not taken."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--channel", required=True)
        to = parser.add_mutually_exclusive_group(required=True)
        to.add_argument("--to", metavar="ADDRESS", help="address, phone, URL, or a registered address as JSON")
        to.add_argument(
            "--user", metavar="USER", help="username, e-mail address or primary key: where they are reached"
        )
        add("--template", default="", metavar="CODE", help="in the words of a template, with its samples")
        add("--locale", default="", help="language tag such as de or de-AT")
        add("--backend", default="", metavar="NAME", help="one that stands in (default: the first)")

    def handle(
        self, *, channel: str, to: str | None, user: str | None, template: str, locale: str, backend: str, **_: Any
    ) -> None:
        number = _number(channel, backend)
        try:
            places = _places(channel, to, user)
            rendered = trials.words(channel, template=template, locale=locale)
            answers = [trials.send(channel, place, rendered, number=number, template=template) for place in places]
        except (PublishError, RenderError, WrongPreference, ImproperlyConfigured) as e:
            raise CommandError(str(e)) from e
        finally:
            registry.close_adapters()
        name = conf.backends(channel)[number].name or conf.backends(channel)[number].path.rpartition(".")[2]
        for answer in answers:
            if isinstance(answer, Receipt):
                self.stdout.write(self.style.SUCCESS(f"{name} took it: {answer.provider_message_id or 'no id given'}"))
            else:
                self.stderr.write(self.style.ERROR(f"{name} did not: {_told(answer)}"))
        if failed := sum(not isinstance(answer, Receipt) for answer in answers):
            message = f"{failed} of {len(answers)} not taken."
            raise CommandError(message)


def _number(channel: str, backend: str) -> int:
    """Return the number of the backend meant, or say what is wrong with channel or backend."""
    if channel == Channel.IN_APP:
        message = "in_app has no provider: the inbox row is the message."
        raise CommandError(message)
    if not conf.backends(channel):
        raise CommandError(str(registry.unknown_channel(channel)))
    keys = [one.key for one in conf.backends(channel)]
    if not backend:
        return 0
    if backend not in keys:
        hint = registry.did_you_mean(backend, keys)
        message = f"{channel} has no backend {backend!r}{hint}; there are {', '.join(keys)}."
        raise CommandError(message)
    return keys.index(backend)


def _places(channel: str, to: str | None, user: str | None) -> Sequence[Place]:
    if user is not None:
        found = trials.places_of(channel, people.user_named(user))
        if not found:
            message = f"{user} has no address on {channel}."
            raise CommandError(message)
        return found
    given: Any = to
    if channel in REGISTERED and (to or "").lstrip().startswith("{"):
        try:
            given = json.loads(to or "")
        except ValueError as e:
            raise CommandError(f"--to is no JSON: {e}") from e
    return [trials.place(channel, given)]


def _told(error: Exception) -> str:
    """Return a typed error in words; of others the name, because their text may hold anything."""
    if not isinstance(error, DeliveryError):
        return type(error).__name__
    kind = type(error).__name__.removesuffix("Error").lower()
    after = error.retry_after.total_seconds() if isinstance(error, TransientError) and error.retry_after else 0
    return f"{kind} {error.code}: {error}" + (f" Come back in {after:g} s." if after else "")
