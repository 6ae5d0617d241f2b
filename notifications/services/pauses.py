"""The switch: hold everything, a template, a category, a channel, a backend or a broadcast, and let go again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifications import conf, registry
from notifications.exceptions import NotificationError
from notifications.models import Broadcast, Category, Pause, Template
from notifications.pipeline import pausing
from notifications.types import PauseScope

if TYPE_CHECKING:
    from datetime import datetime


class UnknownHold(NotificationError):
    """There is nothing of this name to hold."""


def pause(
    scope: PauseScope, key: str = "", *, now: datetime, until: datetime | None = None, note: str = "", by: Any = None
) -> bool:
    """Hold something until it is resumed, or until an instant; False: it is held already."""
    _check(scope, key)
    held = Pause(scope=scope, key=key, created_at=now, until=until, note=note, created_by=by)
    # Two hands on the switch make one pause: the second row is ignored by the database.
    Pause.objects.bulk_create([held], ignore_conflicts=True)
    pausing.forget()
    return Pause.objects.filter(scope=scope, key=key, lifted_at__isnull=True, created_at=now).exists()


def resume(scope: PauseScope, key: str = "", *, now: datetime) -> bool:
    """Let something go; what waited is delivered from now on. False: it was not held."""
    lifted = Pause.objects.filter(scope=scope, key=key, lifted_at__isnull=True).update(lifted_at=now)
    pausing.forget()
    return lifted > 0


def _check(scope: PauseScope, key: str) -> None:
    """Raise `UnknownHold` naming what was probably meant."""
    names = _names(scope)
    if key not in names:
        shown = "takes no name" if scope == PauseScope.EVERYTHING else f"are: {', '.join(sorted(names)) or 'none'}"
        message = f"There is no {scope} {key!r} to hold{registry.did_you_mean(key, names)}; there {shown}."
        raise UnknownHold(message)


def _names(scope: PauseScope) -> list[str]:
    """Return what can be held in this scope."""
    match scope:
        case PauseScope.EVERYTHING:
            return [""]
        case PauseScope.TEMPLATE:
            return list(Template.objects.values_list("code", flat=True))
        case PauseScope.CATEGORY:
            return list(Category.objects.values_list("code", flat=True))
        case PauseScope.CHANNEL:
            return list(conf.channels())
        case PauseScope.BACKEND:
            return [backend.key for channel in conf.channels() for backend in conf.backends(channel)]
        case PauseScope.BROADCAST:
            under_way = Broadcast.objects.filter(completed_at__isnull=True)
            return [str(pk) for pk in under_way.values_list("pk", flat=True)]
