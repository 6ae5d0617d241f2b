"""Texts of others within limits: cut between characters, escapes and links, never within one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: A link as people write it; the full stop behind it is not of it.
_LINK = re.compile(r"(https?://[^\s<>\\|]*[^\s<>\\|.,:;!?'\")\]])")


def shortened(text: str, limit: int) -> str:
    """Return a text of at most so many characters; an ellipsis stands for what was cut off."""
    return joined(text, limit)


def joined(pieces: Iterable[str], limit: int) -> str:
    """Return pieces as a text of at most so many characters: whole pieces, and an ellipsis for what was left out."""
    kept: list[str] = []
    length, fitting = 0, 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length > limit:
            return "".join(kept[:fitting]).rstrip() + "…"
        if length < limit:
            fitting = len(kept)
    return "".join(kept)


def with_links(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text, and whether each is a link."""
    for index, part in enumerate(_LINK.split(text)):
        if part:
            yield part, index % 2 == 1
