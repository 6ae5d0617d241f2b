"""What people want to hear nothing more of: business objects, until an instant or for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.translation import gettext as _

from notifications.exceptions import WrongPreference
from notifications.models import Mute
from notifications.services.consent import Change, changing, note

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from notifications.services.consent import Origin

#: Characters of the name of an object.
MAX_ABOUT = 200
#: Mutes of one person: the planner reads them all.
MAX_MUTES = 500


def of(recipient: Any, *, now: datetime) -> QuerySet[Mute]:
    """Return the mutes in force, the newest first."""
    return Mute.objects.filter(Q(until=None) | Q(until__gt=now), recipient=recipient).order_by("-created_at", "-pk")


def mute(
    recipient: Any, about: str, *, until: datetime | None = None, now: datetime, origin: Origin
) -> tuple[Mute, bool]:
    """
    Tell the recipient nothing more about an object, until an instant or for ever.

    Return the mute, and whether anything changed. Raise `WrongPreference` for what cannot be muted.
    """
    if not about or len(about) > MAX_ABOUT:
        message = f"{about[:50]!r} is no object to mute; pass it as events name it: orders.order:42."
        raise WrongPreference(message, field="about")
    if until is not None and until <= now:
        message = _("The mute would end at %(until)s, which is over; pass a later instant.")
        raise WrongPreference(message % {"until": until.isoformat()}, field="until")
    with changing(recipient):
        before = Mute.objects.filter(recipient=recipient, about=about).first()
        if before is not None and before.until == until:
            return before, False
        if before is None:
            _make_room(recipient, now)
        values = {"until": until, "created_at": now}
        row, _created = Mute.objects.update_or_create(recipient=recipient, about=about, defaults=values)
        change = Change(subject=f"about:{about}", before=_muted(before), after=_end(until))
        note(recipient, [change], now=now, origin=origin)
    return row, True


def unmute(recipient: Any, about: str, *, now: datetime, origin: Origin) -> bool:
    """Tell the recipient about an object again; False: it was not muted."""
    with changing(recipient):
        before = Mute.objects.filter(recipient=recipient, about=about).first()
        if before is None:
            return False
        before.delete()
        change = Change(subject=f"about:{about}", before=_muted(before), after="")
        note(recipient, [change], now=now, origin=origin)
    return True


def _make_room(recipient: Any, now: datetime) -> None:
    """Forget the mutes that are over; raise `WrongPreference` if there are as many as may be."""
    mine = Mute.objects.filter(recipient=recipient)
    mine.filter(until__lte=now).delete()
    if mine.count() >= MAX_MUTES:
        message = _("You have muted %(number)s things already; take one back first.")
        raise WrongPreference(message % {"number": MAX_MUTES}, field="about")


def _muted(row: Mute | None) -> str:
    return "" if row is None else _end(row.until)


def _end(until: datetime | None) -> str:
    return "muted" if until is None else f"muted until {until.isoformat()}"
