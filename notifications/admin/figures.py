"""How numbers, lengths of time and sizes are said on the pages of operators."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

_KIB = 1024


def number(value: float, *, at_least: bool = False) -> str:
    """Return `12,345`, or `10,000+` of what was not counted to the end."""
    return f"{number_format(value, force_grouping=True)}{'+' if at_least else ''}"


def rate(per_second: float) -> str:
    """Return how many per second, with a digit after the point below ten, and two below a tenth: few are not none."""
    digits = 2 if 0 < per_second < 0.1 else 1 if per_second < 10 else None
    return number_format(round(per_second, digits), force_grouping=True)


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: `2 min 5 s`."""
    rest = max(int(seconds), 0)
    if 0 < seconds < 1:
        return _("%(number)s s") % {"number": number_format(round(seconds, 2))}
    units = [(86400, _("%(number)s d")), (3600, _("%(number)s h")), (60, _("%(number)s min")), (1, _("%(number)s s"))]
    parts: list[tuple[int, str]] = []
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
    amount, units = float(value), iter(("B", "KB", "MB", "GB", "TB"))
    unit = next(units)
    while amount >= _KIB and unit != "TB":
        amount, unit = amount / _KIB, next(units)
    return f"{number_format(round(amount, 1 if unit != 'B' and amount < 100 else None))} {unit}"


def share(part: int, whole: int) -> str:
    """Return `3.2 %`; a dash of nothing."""
    return f"{number_format(round(100 * part / whole, 1))} %" if whole else "-"
