"""Users, as far as the pipeline knows them: whatever the project's user model is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from notifications.pipeline import bulk

if TYPE_CHECKING:
    from collections.abc import Iterable


class Person(NamedTuple):
    """A user."""

    pk: Any
    #: What they are called in a message.
    name: str
    email: str
    is_active: bool


def wanted(ids: Iterable[str]) -> Any:
    """Return keys (text, as events store them) for a lookup `…__in`."""
    key = get_user_model()._meta.pk
    return bulk.among(key, {key.to_python(pk) for pk in ids})


def people(keys: Any) -> list[Person]:
    """Return the users among `keys`, by one query."""
    model = get_user_model()
    users, email = model._default_manager.filter(pk__in=keys), model.get_email_field_name()
    if _is_named_by_django(model):
        # Columns, and not objects: those would take longer to make than to read.
        rows = users.values_list("pk", "first_name", model.USERNAME_FIELD, email, "is_active")
        return [Person(pk, first or username, address or "", active) for pk, first, username, address, active in rows]
    return [
        Person(user.pk, user.get_short_name() or user.get_username(), getattr(user, email, "") or "", user.is_active)
        for user in users
    ]


def _is_named_by_django(model: Any) -> bool:
    """Tell whether a user's name is in the columns where Django's own user model has it."""
    if not issubclass(model, AbstractUser):
        return False
    own = (AbstractUser.get_short_name, AbstractUser.get_username)
    columns = {field.name for field in model._meta.concrete_fields}
    needed = {"first_name", "is_active", model.USERNAME_FIELD, model.get_email_field_name()}
    return (model.get_short_name, model.get_username) == own and needed <= columns
