"""
The part of our contestant that needs Django, as a process of its own.

    python -m benchmarks.producer prepare|publish|batch|pickup|cost …
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

PERSONAL, SHARED = "ORDER_CONFIRMED", "ORDER_CONFIRMED_TO_ALL"
#: Rows of one INSERT.
ROWS = 5000


def prepare(people: int) -> None:
    """Make the tables, two templates and so many people."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from benchmarks import work
    from notifications.models import Category, Preference, RecipientSettings, Template, TemplateContent, TemplateVersion

    call_command("migrate", verbosity=0)
    category = Category.objects.create(code="orders", name="Orders")
    for code, body in ((PERSONAL, work.BODY), (SHARED, work.SHARED_BODY)):
        variables = {name: {"sample": value, "required": True} for name, value in work.VARIABLES.items()}
        template = Template.objects.create(code=code, name=code, category=category, variables=variables)
        version = TemplateVersion.objects.create(template=template, number=1, published_at=timezone.now())
        for channel in ("in_app", "email"):
            TemplateContent.objects.create(version=version, channel=channel, title=work.SUBJECT, body=body)
        template.live_version = version
        template.save()
    for start in range(0, people, ROWS):
        users = User.objects.bulk_create(
            User(username=f"u{number}", first_name=f"Customer {number}", email=f"u{number}@example.com")
            for number in range(start, min(start + ROWS, people))
        )
        RecipientSettings.objects.bulk_create(RecipientSettings(recipient=user) for user in users)
        Preference.objects.bulk_create(
            Preference(recipient=user, category=category, channel=channel, cadence=cadence)
            for user in users
            for channel, cadence in (("email", "immediately"), ("sms", "off"))
        )
    quote = connection.ops.quote_name
    filled = ", ".join(quote(model._meta.db_table) for model in (User, RecipientSettings, Preference))
    with connection.cursor() as cursor:
        # As in a system that has run for a day: so few people at once are nothing to read the whole table for. Not what is
        # empty yet: known to be so, it would be read as a whole from then on.
        cursor.execute(f"ANALYZE {filled}")


def publish(count: int, first: int, per_transaction: int) -> None:
    """
    Publish one by one, to one person after the other, so many in a transaction; print when the first began.

    Says when it is ready, and waits for a line.
    """
    from django.db import transaction

    from benchmarks import work
    from notifications.publishing import publish_notification

    people = _people()
    print("ready", flush=True)
    sys.stdin.readline()
    print(time.time(), flush=True)
    for start in range(first, first + count, per_transaction):
        with transaction.atomic():
            for number in range(start, min(start + per_transaction, first + count)):
                publish_notification(PERSONAL, recipient=people[number % len(people)], variables=work.VARIABLES)
    _flush()


def batch(people: int, template: str) -> None:
    """Tell so many people at once; print when that began."""
    from benchmarks import work
    from notifications.publishing import publish_batch_notification

    print(time.time(), flush=True)
    publish_batch_notification(template, recipients=_told()[:people], variables=work.VARIABLES)
    _flush()


def pickup(samples: int, delay: float) -> None:
    """Publish one at a time on an idle system; print the instants of the commits, as JSON."""
    from datetime import timedelta

    from benchmarks import work
    from notifications.publishing import publish_notification

    people, commits = _people(), []
    for number in range(samples):
        time.sleep(random.uniform(0.05, 0.15))  # noqa: S311
        options: Any = {"delay": timedelta(seconds=delay)} if delay else {}
        publish_notification(PERSONAL, recipient=people[number], variables=work.VARIABLES, **options)
        commits.append(time.time())
    print(json.dumps(commits), flush=True)
    _flush()


def cost(rounds: int) -> None:
    """Publish, and insert the same row by the plain ORM, in turn, each in a transaction; print the seconds, as JSON."""
    from django.contrib.auth.models import User
    from django.db import connection, transaction
    from django.utils import timezone

    from benchmarks import work
    from notifications.models import Event
    from notifications.publishing import publish_notification

    person = User.objects.earliest("pk")

    def bare() -> None:
        now = timezone.now()
        said = {"template_id": PERSONAL, "variables": work.VARIABLES, "recipients": [str(person.pk)]}
        Event(**said, created_at=now, due_at=now).save(force_insert=True)

    def ours() -> None:
        publish_notification(PERSONAL, recipient=person, variables=work.VARIABLES)

    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * rounds):
        which = number % 2
        with transaction.atomic():
            with connection.cursor() as cursor:
                # The first statement opens the transaction: not at the cost of one of the two.
                cursor.execute("SELECT 1")
            started = time.perf_counter()
            (bare, ours)[which]()
            seconds[which].append(time.perf_counter() - started)
    print(json.dumps(seconds), flush=True)


def _people() -> list[Any]:
    return list(_told().values_list("pk", flat=True))


def _told() -> QuerySet[Any]:
    """Return those whom `prepare` made; there may be others, with old rows."""
    from django.contrib.auth.models import User

    return User.objects.filter(username__startswith="u").order_by("pk")


def _flush() -> None:
    """Let the last wake-up go: it is sent by a thread that ends with the process."""
    time.sleep(0.3)


COMMANDS: dict[str, Callable[..., None]] = {
    "prepare": lambda people: prepare(int(people)),
    "publish": lambda count, first, per: publish(int(count), int(first), int(per)),
    "batch": lambda people, template: batch(int(people), template),
    "cost": lambda rounds: cost(int(rounds)),
    "pickup": lambda samples, delay: pickup(int(samples), float(delay)),
}

if __name__ == "__main__":
    django.setup()
    COMMANDS[sys.argv[1]](*sys.argv[2:])
