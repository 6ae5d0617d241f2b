"""Bars drawn as SVG by us: they need no script, follow the colours of the look, and have a table beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from notifications.admin import figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django_stubs_ext import StrOrPromise

    from notifications.services.statistics import Volume

#: Units of the drawing; it is stretched to the room there is.
HEIGHT, STEP, GAP = 100.0, 10.0, 2.0
#: What is there is seen, however small its part.
LEAST = 1.5
#: From the bottom up: name of the colour, words.
KINDS: tuple[tuple[str, StrOrPromise], ...] = (
    ("sent", _("sent")),
    ("open", _("under way")),
    ("withheld", _("withheld")),
    ("failed", _("failed")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A rectangle."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An hour or a day."""

    #: Where the pointer rests on it: all of the column.
    x: float
    width: float
    title: str
    parts: list[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars beside each other, on one scale."""

    bars: list[Bar]
    width: float
    height: float
    #: What the upper edge stands for.
    top: int

    @property
    def top_words(self) -> str:
        """Return what the upper edge stands for."""
        return figures.number(self.top)


def stacked(volumes: Sequence[tuple[str, Volume]], *, top: int | None = None) -> Chart:
    """Return the bars of (label, volume), on a scale that ends at `top`, or at the next round number."""
    top = top or round_number(max((volume.all for _label, volume in volumes), default=0))
    bars = [_bar(index, label, volume, top) for index, (label, volume) in enumerate(volumes)]
    return Chart(bars=bars, width=len(bars) * STEP, height=HEIGHT, top=top)


def round_number(value: int) -> int:
    """Return the next number that is easy to read and not below: 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, …"""
    unit = 1
    while True:
        for tenths in (10, 12, 15, 20, 30, 40, 50, 60, 80):
            if value <= (top := tenths * unit // 10):
                return top
        unit *= 10


def _bar(index: int, label: str, volume: Volume, top: int) -> Bar:
    x, below, parts = index * STEP, HEIGHT, []
    for kind, _words in KINDS:
        number = getattr(volume, kind)
        if number:
            height = max(number / top * HEIGHT, LEAST)
            below -= height
            parts.append(Part(kind=kind, x=x + GAP / 2, y=max(below, 0.0), width=STEP - GAP, height=height))
    return Bar(x=x, width=STEP, title=f"{label}: {_in_words(volume)}", parts=parts)


def _in_words(volume: Volume) -> str:
    said = [f"{figures.number(getattr(volume, kind))} {words}" for kind, words in KINDS if getattr(volume, kind)]
    return ", ".join(said) or "0"
