"""Who changed what in the admin, and from what to what: Django's log of changes, with the values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import CHANGE, LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import Model

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
