"""Where something stands in a TOML file, so that a mistake can be said with its line. `tomllib` forgets the places."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"""\s*(["']?)([^"'=\s]+)\1\s*=\s*(.*)$""")
_QUOTES = re.compile(r'"""|\'\'\'')


def line_of(source: str, table: str, key: str = "") -> int | None:
    """Return the line, counted from 1, of a table's header, or of a key in it; `table` is empty above all tables."""
    at = ""
    if not table and not key:
        return None
    for number, line in _outside_of_texts(source):
        if header := _HEADER.match(line):
            at = _plain(header[1])
            if at == table and not key:
                return number
        elif key and at == table and (found := _KEY.match(line)) and found[2] == key:
            return number
    return None


def line_of_text(source: str, table: str, key: str, line: int) -> int | None:
    """Return the line of the file on which a line of a text stands; blank lines before the text are not counted."""
    start = line_of(source, table, key)
    if start is None:
        return None
    lines = source.split("\n")
    found = _KEY.match(lines[start - 1])
    opening = found[3] if found else ""
    if not _QUOTES.match(opening):
        return start
    # A text that begins on the line of the quotes has its first line there.
    first = start if opening[3:].strip() else start + 1
    while first > start and first < len(lines) and not lines[first - 1].strip():
        first += 1
    return first + line - 1


def _outside_of_texts(source: str) -> list[tuple[int, str]]:
    """Return the numbered lines that do not stand in a text of several lines."""
    outside, is_inside = [], False
    for number, line in enumerate(source.split("\n"), start=1):
        if not is_inside:
            outside.append((number, line))
        if len(_QUOTES.findall(line)) % 2:
            is_inside = not is_inside
    return outside


def _plain(header: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in header.split("."))
