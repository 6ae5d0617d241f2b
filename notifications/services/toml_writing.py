"""PURE: values of JSON → TOML, the same text for the same values: names in order, texts of several lines as such."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
#: What TOML wants escaped in a text (TOML 1.0, String); a tab and a line break may stand as they are.
_ESCAPED = re.compile(r'[\\"\x00-\x08\x0b-\x1f\x7f]')
_SHORT = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\r": "\\r", "\t": "\\t", "\n": "\\n"}
_MULTILINE_ESCAPED = re.compile(r'\\|"""|[\x00-\x08\x0b-\x1f\x7f]')


def table(name: str, pairs: Iterable[tuple[str, Any]], *, prose: Collection[str] = ()) -> str:
    """
    Return a table with its pairs in the order given; name it empty: those above all tables.

    `prose` names the pairs whose text may be written in several lines: whoever reads it takes the breaks around it away.
    """
    lines = [f"{key(pair)} = {(_prose if pair in prose else value)(given)}" for pair, given in pairs]
    header = [f"[{'.'.join(key(part) for part in name.split('.'))}]"] if name else []
    return "\n".join([*header, *lines]) + "\n"


def has_form(given: Any) -> bool:
    """Return whether TOML has a form for a value of JSON: it has none for null, nor for numbers beyond 64 bits."""
    if isinstance(given, dict):
        return all(has_form(part) for part in given.values())
    if isinstance(given, list):
        return all(has_form(part) for part in given)
    if isinstance(given, int):
        return -(2**63) <= given < 2**63
    return given is not None


def key(name: str) -> str:
    """Return a name as a key."""
    return name if _BARE.match(name) else _line(name)


def value(given: Any) -> str:
    """Return a value; a list of tables with one on each line, as people write it."""
    if isinstance(given, list) and given and all(isinstance(part, dict) for part in given):
        return "[\n" + "".join(f"    {_inline(part)},\n" for part in given) + "]"
    return _inline(given)


def _inline(given: Any) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, str):
        return _line(given)
    if isinstance(given, list):
        return "[" + ", ".join(_inline(part) for part in given) + "]"
    if isinstance(given, dict):
        return _inline_table(given)
    return repr(given)


def _inline_table(given: Mapping[str, Any]) -> str:
    # In order of the names: PostgreSQL does not keep the one they were written in.
    pairs = ", ".join(f"{key(name)} = {_inline(part)}" for name, part in sorted(given.items()))
    return f"{{ {pairs} }}" if pairs else "{}"


def _line(text: str) -> str:
    escaped = _ESCAPED.sub(_escape, text).replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _prose(text: str) -> str:
    if "\n" not in text:
        return _line(text)
    return f'"""\n{_MULTILINE_ESCAPED.sub(_escape, text)}\n"""'


def _escape(found: re.Match[str]) -> str:
    return "".join(_SHORT.get(character) or f"\\u{ord(character):04x}" for character in found[0])
