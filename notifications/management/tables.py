"""What several commands print: aligned columns, lengths of time, numbers of things."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell = str | int


def aligned(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Return a line for each row. A column that holds a number anywhere ends at the right."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    numeric = [any(isinstance(cell, int) for cell in column) for column in zip(*rows, strict=True)]
    sides = [">" if right else "<" for right in numeric]
    return [
        "   ".join(f"{text:{side}{width}}" for text, side, width in zip(row, sides, widths, strict=True)).rstrip()
        for row in texts
    ]


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: `2m 05s`."""
    rest = max(int(seconds), 0)
    if rest < 60:
        return f"{rest}s"
    if rest < 3600:
        return f"{rest // 60}m {rest % 60:02}s"
    if rest < 86400:
        return f"{rest // 3600}h {rest % 3600 // 60:02}m"
    return f"{rest // 86400}d {rest % 86400 // 3600:02}h"


def number(count: int, noun: str, plural: str = "") -> str:
    """Return `1 event`, `1,204 events`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
