"""The backends and their circuit breakers: which may send, which are held, and which come back slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from notifications import conf
from notifications.models import Pause
from notifications.pipeline import pausing
from notifications.types import PauseOrigin, PauseScope

if TYPE_CHECKING:
    from datetime import datetime


class Circuit(TextChoices):
    """What a backend may do."""

    #: It may send.
    CLOSED = "closed", _("closed: it may send")
    #: Its breaker let go a minute ago or less: below its full rate.
    RECOVERING = "recovering", _("recovering: below its full rate")
    #: It failed too often, and is left alone for a while.
    OPEN = "open", _("open: it failed too often")
    #: Staff hold it.
    HELD = "held", _("held by staff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """A backend, and how it stands."""

    channel: str
    key: str
    #: 0: the one that sends; others stand in for those before them.
    position: int
    state: Circuit
    #: When it came to this. None: closed.
    since: datetime | None
    #: When it may send again by itself. None: it may, or staff decide.
    until: datetime | None
    #: The part of the rate it may use.
    share: float
    #: What holds it, or did lately. None: closed.
    pause: int | None


def breakers(*, now: datetime) -> list[Breaker]:
    """Return every backend in the settings, channel by channel, in order: one statement."""
    own = Pause.objects.filter(scope=PauseScope.BACKEND, lifted_at__isnull=True)
    pauses = {pause.key: pause for pause in own}
    held = pausing.held_by(list(pauses.values()), now)
    return [
        _breaker(channel, position, backend.key, pauses.get(backend.key), now, held.ramp(backend.key, now))
        for channel in conf.channels()
        for position, backend in enumerate(conf.backends(channel))
    ]


def _breaker(channel: str, position: int, key: str, pause: Pause | None, now: datetime, share: float) -> Breaker:
    state, since, until = _state(pause, now, share)
    return Breaker(
        channel=channel,
        key=key,
        position=position,
        state=state,
        since=since,
        until=until,
        share=share if state in {Circuit.CLOSED, Circuit.RECOVERING} else 0.0,
        pause=None if pause is None or state == Circuit.CLOSED else pause.pk,
    )


def _state(pause: Pause | None, now: datetime, share: float) -> tuple[Circuit, datetime | None, datetime | None]:
    if pause is None:
        return Circuit.CLOSED, None, None
    if pause.until is None or pause.until > now:
        by_staff = pause.origin == PauseOrigin.STAFF
        return Circuit.HELD if by_staff else Circuit.OPEN, pause.created_at, pause.until
    if share < 1:
        return Circuit.RECOVERING, pause.until, None
    return Circuit.CLOSED, None, None
