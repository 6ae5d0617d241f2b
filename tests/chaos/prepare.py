"""
Make a database ready for a chaos run: tables, the shipped wording, and people with addresses.

    python -m tests.chaos.prepare PEOPLE
"""

from __future__ import annotations

import sys

import django

#: Rows of one INSERT.
ROWS = 2000


def prepare(number: int) -> None:
    """Migrate, seed, and make the recipients 1 to `number`."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from notifications.models import RecipientSettings
    from tests.chaos import people

    call_command("migrate", verbosity=0, interactive=False)
    call_command("seed_notification_templates", verbosity=0)
    user = get_user_model()
    numbers = range(1, number + 1)
    user.objects.bulk_create(
        (user(pk=n, username=f"u{n}", email=people.address(n, "email")) for n in numbers), batch_size=ROWS
    )
    RecipientSettings.objects.bulk_create(
        (RecipientSettings(recipient_id=n, phone=people.address(n, "sms")) for n in numbers), batch_size=ROWS
    )


if __name__ == "__main__":
    django.setup()
    prepare(int(sys.argv[1]))
