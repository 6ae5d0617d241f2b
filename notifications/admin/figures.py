"""How numbers, lengths of time and sizes are said on the pages of operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_KIB = 1024


def number(value: float, *, at_least: bool = False) -> str:
    """Return `12,345`, or `10,000+` of what was not counted to the end."""
    return f"{number_format(value, force_grouping=True)}{'+' if at_least else ''}"


def rate(per_second: float) -> str:
    """Return how many per second, with a digit after the point below ten."""
    return number_format(round(per_second, 1 if per_second < 10 else None), force_grouping=True)


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: `2 min 5 s`."""
    rest = max(int(seconds), 0)
    if 0 < seconds < 1:
        return _("%(number)s s") % {"number": number_format(round(seconds, 2))}
    units = [(86400, _("%(number)s d")), (3600, _("%(number)s h")), (60, _("%(number)s min")), (1, _("%(number)s s"))]
    parts = []
    for size, words in units:
        count, rest = divmod(rest, size)
        if count or parts or size == 1:
            parts.append((count, words))
    shown = [words % {"number": count} for count, words in parts[:2] if count or len(parts) == 1]
    return " ".join(shown)


def size(value: int | None) -> str:
    """Return bytes in the unit that fits; a dash for what is not known."""
    if value is None:
        return "-"
    amount: float = value
    for unit in ("B", "KB", "MB", "GB"):
        if amount < _KIB:
            break
        amount /= _KIB
    else:
        unit = "TB"
    return f"{number_format(round(amount, 1 if unit != 'B' and amount < 100 else None))} {unit}"


def share(part: int, whole: int) -> StrOrPromise:
    """Return `3.2 %`; a dash of nothing."""
    return f"{number_format(round(100 * part / whole, 1))} %" if whole else "-"
