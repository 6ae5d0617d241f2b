"""The switch: hold everything, a template, a category, a channel, a backend or a broadcast, and let go again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from notifications import conf, registry
from notifications.exceptions import NotificationError
from notifications.models import Broadcast, Category, Pause, Template
from notifications.pipeline import pausing
from notifications.services import backlog
from notifications.types import Channel, PauseScope

if TYPE_CHECKING:
    from datetime import datetime


class UnknownHold(NotificationError):
    """There is nothing of this name to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A pause in force, and what waits for its end."""

    pause: Pause
    #: Due events.
    events: int
    #: Due deliveries, by channel.
    deliveries: dict[Channel, int]
    #: More than was counted.
    at_least: bool
    #: Seconds that sending takes afterwards, at the rates of the channels; other work not counted.
    seconds: float


def pause(
    scope: PauseScope, key: str = "", *, now: datetime, until: datetime | None = None, note: str = "", by: Any = None
) -> bool:
    """Hold something until it is resumed, or until an instant; False: it is held already."""
    _check(scope, key)
    # One that is over, and not lifted yet, would stand in the way: a breaker's stays while its backend recovers.
    Pause.objects.filter(scope=scope, key=key, lifted_at__isnull=True, until__lte=now).update(lifted_at=F("until"))
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


def in_force(now: datetime) -> list[Pause]:
    """Return the pauses that hold something now, the newest first. A breaker's that is over only slows its backend."""
    holding = Pause.objects.filter(Q(until__isnull=True) | Q(until__gt=now), lifted_at__isnull=True)
    return list(holding.select_related("created_by").order_by("-created_at", "-pk"))


def hold_of(pause: Pause, *, now: datetime) -> Hold:
    """Return what a pause holds, whatever else holds it, too: one statement that counts to a limit."""
    held = backlog.held_by(pausing.held_by([pause], now), now)
    deliveries: Counter[Channel] = Counter()
    for line, number in held.items():
        if line.channel is not None:
            deliveries[line.channel] += number
    paces = [number / rate for channel, number in deliveries.items() if (rate := conf.current().rate(channel))]
    return Hold(
        pause=pause,
        events=sum(number for line, number in held.items() if line.channel is None),
        deliveries=dict(deliveries),
        at_least=any(number >= backlog.COUNTED for number in held.values()),
        seconds=max(paces, default=0.0),
    )


def _check(scope: PauseScope, key: str) -> None:
    """Raise `UnknownHold` naming what was probably meant."""
    known = names(scope)
    if key not in known:
        shown = "takes no name" if scope == PauseScope.EVERYTHING else f"are: {', '.join(sorted(known)) or 'none'}"
        message = f"There is no {scope} {key!r} to hold{registry.did_you_mean(key, known)}; there {shown}."
        raise UnknownHold(message)


def names(scope: PauseScope) -> list[str]:
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
