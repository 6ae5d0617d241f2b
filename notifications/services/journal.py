"""Who changed what in the admin, and from what to what: Django's log of changes, with the values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.forms import ModelMultipleChoiceField, MultipleChoiceField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.contrib.auth.base_user import AbstractBaseUser
    from django.forms import BaseForm, BaseModelFormSet

#: Longest value that is written as it is.
MAX_LENGTH = 60
#: Parts of the names of fields whose values are nobody's business.
SECRETS = ("password", "secret", "token", "hash")
_HIDDEN = "•••"


def record(
    user: AbstractBaseUser, obj: Model, message: str, *, changes: Mapping[str, tuple[Any, Any]] | None = None
) -> None:
    """Write that a user did something to an object; `changes` is field → (old, new). One sentence, in English."""
    record_all(user, [obj], message, changes=changes)


def record_all(
    user: AbstractBaseUser,
    objects: Iterable[Model],
    message: str,
    *,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """Write the same of many objects; of none, nothing."""
    text = " ".join([message, "; ".join(diff(changes or {}))]).strip()
    for obj in objects:
        LogEntry.objects.log_actions(user.pk, [obj], CHANGE, text)


def told(form: BaseForm, formsets: Iterable[BaseModelFormSet[Any, Any]] | None, *, add: bool) -> list[dict[str, Any]]:
    """Return what forms changed, as `LogEntry.change_message` has it, with the values where Django has the names only."""
    entries: list[dict[str, Any]] = [{"added": {}}] if add else _changed(form, {})
    for formset in formsets or ():
        changed = {id(row) for row, _ in formset.changed_objects}
        entries += [{"added": _named(row)} for row in formset.new_objects]
        for one in formset.initial_forms:
            if id(one.instance) in changed:
                entries += _changed(one, _named(one.instance))
        entries += [{"deleted": _named(row)} for row in formset.deleted_objects]
    return entries


def _changed(form: BaseForm, what: dict[str, str]) -> list[dict[str, Any]]:
    changes = {name: _values(form, name) for name in form.changed_data}
    return [{"changed": {**what, "fields": diff(changes)}}] if changes else []


def _named(row: Model) -> dict[str, str]:
    return {"name": str(row._meta.verbose_name), "object": str(row)}


def _values(form: BaseForm, name: str) -> tuple[Any, Any]:
    """Return the value before and after; of a choice of many, what was taken away and what was added."""
    old = form.get_initial_for_field(form.fields[name], name) if name in form.fields else None
    new = form.cleaned_data.get(name)
    if isinstance(form.fields.get(name), MultipleChoiceField | ModelMultipleChoiceField):
        before, after = ({str(item) for item in items or ()} for items in (old, new))
        return ", ".join(sorted(before - after)), ", ".join(sorted(after - before))
    # Chosen rows are told by their keys: the old one may be gone.
    return old, new.pk if isinstance(new, Model) else new


def diff(changes: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """Return each change as `field: old → new`: secrets hidden, long values cut to where they differ."""
    return [_line(name, old, new) for name, (old, new) in changes.items()]


def _line(name: str, old: Any, new: Any) -> str:
    if any(part in name.lower() for part in SECRETS):
        return f"{name}: {_HIDDEN} → {_HIDDEN}"
    before, after = _text(old), _text(new)
    start = _start_of_difference(before, after) if max(len(before), len(after)) > MAX_LENGTH else 0
    return f"{name}: {_short(before, start)} → {_short(after, start)}"


def _text(value: Any) -> str:
    return "-" if value is None or value == "" else " ".join(str(value).split())


def _start_of_difference(before: str, after: str) -> int:
    """Return where to begin: a few letters before the two part."""
    same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    return max(0, (min(len(before), len(after)) if same is None else same) - MAX_LENGTH // 4)


def _short(text: str, start: int) -> str:
    part = text[start : start + MAX_LENGTH]
    return f"{'…' if start else ''}{part}{'…' if start + MAX_LENGTH < len(text) else ''}"
