"""Users as people name them on a command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from notifications.services import finding
from notifications.services.finding import UnknownUser


def user_named(text: str) -> Any:
    """Return the user with this username, e-mail address or primary key; raise `CommandError` for none or several."""
    try:
        return finding.user_named(text)
    except UnknownUser as e:
        raise CommandError(str(e)) from e
