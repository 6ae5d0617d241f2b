"""Users as people name them on a command line."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db.models import Q

#: Users that an error names.
NAMED = 5


def user_named(text: str) -> Any:
    """Return the user with this username, e-mail address or primary key; raise `CommandError` for none or several."""
    model = get_user_model()
    meant = Q(**{model.USERNAME_FIELD: text}) | Q(**{f"{model.get_email_field_name()}__iexact": text})
    with suppress(ValidationError):
        meant |= Q(pk=model._meta.pk.to_python(text))
    found = list(model._default_manager.filter(meant).order_by("pk")[: NAMED + 1]) if text else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(f"No user {text!r}; pass a username, an e-mail address or a primary key.")
    names = ", ".join(f"{user.pk} ({user.get_username()})" for user in found[:NAMED])
    more = ", …" if len(found) > NAMED else ""
    raise CommandError(f"Several users are {text!r}: {names}{more}. Pass what only one of them has.")
