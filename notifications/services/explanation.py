"""The answer to "why did they (not) get it?": lines in words, each with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from django.db.models import Model


class Basis(TextChoices):
    """What a line rests on."""

    #: Rows that were written when it happened.
    RECORDED = "recorded", _("on record")
    #: Asked now, with today's data: it may have been otherwise at the time.
    RE_EVALUATED = "re_evaluated", _("re-evaluated now, with today's data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The row that a line is about, for whoever can show it."""

    #: Name of the model, in small letters: event, broadcast, notification, delivery.
    kind: str
    id: UUID

    @classmethod
    def of(cls, row: Model) -> Row:
        return cls(kind=str(row._meta.model_name), id=row.pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing there is to say, in the active language and in the recipient's time zone."""

    text: str
    basis: Basis
    #: Empty: it is not about one channel.
    channel: str = ""
    #: Of a delivery, a route, an event or a broadcast, or `paused`; empty: there is none.
    state: str = ""
    #: A `Reason`; empty: there is none.
    reason: str = ""
    #: Aware, UTC: when it happened, or when it is due.
    at: datetime | None = None
    #: None: there is none, or not one.
    row: Row | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All there is to say, what is on record first."""

    lines: tuple[Line, ...]

    def resting_on(self, basis: Basis) -> tuple[Line, ...]:
        """Return the lines that rest on this."""
        return tuple(line for line in self.lines if line.basis == basis)


def shown(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as clocks in the zone show it: `2026-03-01 08:00:00 CET`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
