"""Users as people name them, in a form or on a command line."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from notifications.exceptions import NotificationError
from notifications.models import Event, Notification
from notifications.registry import did_you_mean

#: Users that an error names.
NAMED = 5
#: Users whose names are compared with a wrong one: those that begin like it.
COMPARED = 200


class UnknownUser(NotificationError, ValueError):
    """There is no such user, or there are several."""


def user_named(text: str) -> Any:
    """Return the user with this user name, e-mail address or primary key; raise `UnknownUser` for none or several."""
    model = get_user_model()
    text = text.strip()
    meant = Q(**{model.USERNAME_FIELD: text}) | Q(**{f"{_email()}__iexact": text})
    key = primary_key(text)
    if key is not None:
        meant |= Q(pk=key)
    can_be = bool(text) and "\x00" not in text
    found = list(model._default_manager.filter(meant).order_by("pk")[: NAMED + 1]) if can_be else []
    if len(found) == 1:
        return found[0]
    if not found:
        message = _("No user %(name)r%(hint)s; pass a username, an e-mail address or a primary key.")
        raise UnknownUser(message % {"name": text[:100], "hint": _hint(text) if can_be else ""})
    names = ", ".join(f"{user.pk} ({user.get_username()})" for user in found[:NAMED])
    more = ", …" if len(found) > NAMED else ""
    message = _("Several users are %(name)r: %(names)s%(more)s. Pass what only one of them has.")
    raise UnknownUser(message % {"name": text, "names": names, "more": more})


def primary_key(text: str) -> Any:
    """Return the primary key of a user that the text is. None: it cannot be one at all."""
    model = get_user_model()
    with suppress(ValidationError):
        key = model._meta.pk.to_python(text)
        # Beyond what the database can hold, and not ours to look for.
        return None if isinstance(key, int) and abs(key) >= 2**63 else key
    return None


def is_written_about(about: str) -> bool:
    """Tell whether anything on record is about an object."""
    return Event.objects.filter(about=about).exists() or Notification.objects.filter(about=about).exists()


def objects_like(about: str, template: str) -> str:
    """Return ` (did you mean 'orders.order:42'?)`, of what a template was lately about; or nothing."""
    lately = Event.objects.filter(template=template).exclude(about="").order_by("-pk")
    return did_you_mean(about, set(lately.values_list("about", flat=True)[:COMPARED]))


def _hint(text: str) -> str:
    """Return who may have been meant, of those whose name or address begins alike."""
    model, email = get_user_model(), _email()
    begin = text[:2]
    alike = Q(**{f"{model.USERNAME_FIELD}__istartswith": begin}) | Q(**{f"{email}__istartswith": begin})
    near = model._default_manager.filter(alike).values_list(model.USERNAME_FIELD, email)[:COMPARED]
    return did_you_mean(text, {name for names in near for name in names if name})


def _email() -> str:
    return str(get_user_model().get_email_field_name())
