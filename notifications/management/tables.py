"""Tables for the terminal: the first column reads from the left, numbers line up on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell = str | int


def aligned(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Return one line for each row. Numbers, and what stands above or below them, are set to the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    to_right = [any(isinstance(cell, int) for cell in column) for column in zip(*rows, strict=True)]
    return ["   ".join(map(_set, row, widths, to_right)).rstrip() for row in texts]


def _text(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else cell


def _set(text: str, width: int, to_right: bool) -> str:  # noqa: FBT001
    return text.rjust(width) if to_right else text.ljust(width)
