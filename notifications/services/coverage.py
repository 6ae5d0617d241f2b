"""Which of the site's languages have words, channel by channel, and whose words readers get where theirs are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.conf import settings

from notifications.pipeline import wording
from notifications.types import Channel
from notifications.values import Content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notifications.models import TemplateContent

#: `own`: in the language itself, or for any where any is the site's own. `near`: de for de-AT. `any`: the words for any
#: language. `other`: nothing nearer there is, a language the reader may not know.
Kind = Literal["own", "near", "any", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What readers of a language get by a channel: the words in `used`, empty for any."""

    locale: str
    used: str
    kind: Kind

    @property
    def is_covered(self) -> bool:
        """Whether they read it in their language."""
        return self.kind in {"own", "near"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Channel → a cell for each language of the site, in the order of the settings."""

    rows: dict[str, tuple[Cell, ...]]

    @property
    def covered(self) -> int:
        """How many cells have words in the reader's language."""
        return sum(cell.is_covered for cells in self.rows.values() for cell in cells)

    @property
    def total(self) -> int:
        """How many cells there are."""
        return sum(len(cells) for cells in self.rows.values())

    @property
    def gaps(self) -> list[tuple[str, Cell]]:
        """Return (channel, cell) where readers get another language."""
        return [(channel, cell) for channel, cells in self.rows.items() for cell in cells if not cell.is_covered]


def locales() -> list[str]:
    """Return the languages of the site."""
    return [code for code, _name in settings.LANGUAGES]


def of(rows: Iterable[TemplateContent]) -> Coverage:
    """Return the coverage of a version; channels it has no words for at all are left out."""
    contents = [Content(id=0, channel=row.channel, locale=row.locale, title="", body="") for row in rows]
    channels = {content.channel for content in contents}
    return Coverage(
        rows={
            channel: tuple(_cell(contents, channel, locale) for locale in locales())
            for channel in Channel.values
            if channel in channels
        }
    )


def _cell(contents: Iterable[Content], channel: str, locale: str) -> Cell:
    used = wording.pick(contents, channel, locale).locale
    return Cell(locale=locale, used=used, kind=_kind(locale.lower(), used.lower()))


def _kind(locale: str, used: str) -> Kind:
    if used == locale:
        return "own"
    if not used:
        return "own" if _primary(locale) == _primary(settings.LANGUAGE_CODE.lower()) else "any"
    return "near" if locale.startswith(f"{used}-") else "other"


def _primary(locale: str) -> str:
    return locale.partition("-")[0]
