"""What is held right now. Read once a second by each process, obeyed before every claim."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from notifications import conf
from notifications.models import Pause, Template
from notifications.types import PauseOrigin, PauseScope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: Seconds for which a process trusts what it read: a pause holds everywhere after that.
MAX_AGE = 1.0
#: Seconds over which a backend that was down comes back to its full rate, and the part it begins with.
RAMP, RAMP_START = 60.0, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The pauses in force."""

    everything: bool
    templates: frozenset[str]
    channels: frozenset[str]
    backends: frozenset[str]
    broadcasts: frozenset[UUID]
    #: Backend → when its circuit breaker last let go.
    recovering: dict[str, datetime]

    def holds_channel(self, channel: str) -> bool:
        """Tell whether nothing may be sent by this channel."""
        return self.everything or bool(self.over_channel(channel))

    def open_backend(self, channel: str, *, besides: int | None = None) -> int | None:
        """Return the number of the first backend of a channel that may send; None: there is none."""
        if self.everything or channel in self.channels:
            return None
        backends = enumerate(conf.backends(channel))
        free = (number for number, backend in backends if number != besides and backend.key not in self.backends)
        return next(free, None)

    def over(self, template: str) -> tuple[PauseScope, ...]:
        """Return the pauses that hold all of a template; one of its category holds the template."""
        scopes = ((PauseScope.EVERYTHING, self.everything), (PauseScope.TEMPLATE, template in self.templates))
        return tuple(scope for scope, holds in scopes if holds)

    def over_channel(self, channel: str) -> tuple[PauseScope, ...]:
        """Return the pauses that hold this channel and not others."""
        keys = {backend.key for backend in conf.backends(channel)}
        are_held = bool(keys) and keys <= self.backends
        scopes = ((PauseScope.CHANNEL, channel in self.channels), (PauseScope.BACKEND, are_held))
        return tuple(scope for scope, holds in scopes if holds)

    def ramp(self, backend: str, now: datetime) -> float:
        """Return the part of the channel's rate a backend may use: after an outage it comes back slowly."""
        recovered_at = self.recovering.get(backend)
        if recovered_at is None:
            return 1.0
        passed = (now - recovered_at).total_seconds() / RAMP
        return min(max(RAMP_START + (1 - RAMP_START) * passed, RAMP_START), 1.0)


_known: tuple[float, Held] | None = None


def current(now: datetime) -> Held:
    """Return the pauses in force, at most a second old."""
    global _known  # noqa: PLW0603
    # Once: another thread may forget it between two looks.
    known = _known
    if known is None or time.monotonic() - known[0] > MAX_AGE:
        not_lifted = list(Pause.objects.filter(lifted_at__isnull=True))
        _known = known = (time.monotonic(), held_by(not_lifted, now))
    return known[1]


def forget() -> None:
    """Read again at the next question."""
    global _known  # noqa: PLW0603
    _known = None


def held_by(pauses: Sequence[Pause], now: datetime) -> Held:
    """Return what these pauses hold together, of those that are in force."""
    in_force = [pause for pause in pauses if pause.until is None or pause.until > now]
    keys = {scope: frozenset(pause.key for pause in in_force if pause.scope == scope) for scope in PauseScope}
    templates = keys[PauseScope.TEMPLATE]
    if keys[PauseScope.CATEGORY]:
        templates |= frozenset(
            Template.objects.filter(Q(category__in=keys[PauseScope.CATEGORY])).values_list("code", flat=True)
        )
    return Held(
        everything=bool(keys[PauseScope.EVERYTHING]),
        templates=templates,
        channels=keys[PauseScope.CHANNEL],
        backends=keys[PauseScope.BACKEND],
        broadcasts=frozenset(UUID(key) for key in keys[PauseScope.BROADCAST]),
        recovering={
            pause.key: pause.until
            for pause in pauses
            if pause.origin == PauseOrigin.BREAKER and pause.until is not None and pause.until <= now
        },
    )
