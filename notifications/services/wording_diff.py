"""What differs between the wordings of two versions: content by content, line by line, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, get_args

from notifications.exceptions import RenderError
from notifications.models import TemplateContent
from notifications.pipeline.rendering import RESERVED, Field, names_used
from notifications.values import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = Literal["same", "changed", "added", "removed"]
FIELDS: tuple[Field, ...] = get_args(Field)

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
#: Below this share of common words, two lines are different lines, and single words would only confuse.
_ALIKE = 0.4
#: Longer lines are compared as a whole: words cost the square of their number.
_MAX_WORDS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a line, of one version only or of both."""

    text: str
    is_changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the one version beside its counterpart of the other; a side without one has no number."""

    kind: Kind
    old_number: int | None
    old: tuple[Span, ...]
    new_number: int | None
    new: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDiff:
    """A title, text or HTML in both versions."""

    name: Field
    kind: Kind
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDiff:
    """The wording of a channel and language in both versions; `row` is the newer one, if there is one."""

    kind: Kind
    row: TemplateContent
    fields: tuple[FieldDiff, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """What the wording reads, without what every template may: in one version only, or in both."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def compare(old: Iterable[TemplateContent], new: Iterable[TemplateContent]) -> list[ContentDiff]:
    """Return each channel and language of either version, in the order of the channels' names."""
    before, after = _by_place(old), _by_place(new)
    return [_content(before.get(place), after.get(place)) for place in sorted(before.keys() | after.keys())]


def variables(old: Iterable[TemplateContent], new: Iterable[TemplateContent]) -> Variables:
    """Return which variables the wordings read."""
    before, after = _read(old), _read(new)
    return Variables(
        added=tuple(sorted(after - before)), removed=tuple(sorted(before - after)), kept=tuple(sorted(before & after))
    )


def lines(old: str, new: str) -> tuple[Row, ...]:
    """Return two texts side by side."""
    return tuple(_rows(old.splitlines(), new.splitlines()))


def _by_place(rows: Iterable[TemplateContent]) -> dict[tuple[str, str, str], TemplateContent]:
    return {(row.channel, row.locale, row.variant): row for row in rows}


def _content(old: TemplateContent | None, new: TemplateContent | None) -> ContentDiff:
    row = new or old
    assert row is not None
    fields = tuple(_fields(old, new))
    if old is None or new is None:
        return ContentDiff(kind="removed" if new is None else "added", row=row, fields=fields)
    is_same = all(field.kind == "same" for field in fields)
    return ContentDiff(kind="same" if is_same else "changed", row=row, fields=fields)


def _fields(old: TemplateContent | None, new: TemplateContent | None) -> Iterator[FieldDiff]:
    """Yield the fields that say something in either version."""
    for name in FIELDS:
        before: str = getattr(old, name, "")
        after: str = getattr(new, name, "")
        if before or after:
            yield FieldDiff(name=name, kind=_kind(before, after), rows=lines(before, after))


def _kind(before: str, after: str) -> Kind:
    if before == after:
        return "same"
    if not before:
        return "added"
    return "changed" if after else "removed"


def _rows(old: list[str], new: list[str]) -> Iterator[Row]:
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        left = enumerate(old[i1:i2], start=i1 + 1)
        right = enumerate(new[j1:j2], start=j1 + 1)
        for before, after in zip_longest(left, right):
            yield _row(before, after, is_same=tag == "equal")


def _row(before: tuple[int, str] | None, after: tuple[int, str] | None, *, is_same: bool) -> Row:
    old_number, old_text = before or (None, "")
    new_number, new_text = after or (None, "")
    kind: Kind = "same" if is_same else "changed"
    if before is None or after is None:
        kind = "added" if before is None else "removed"
    old_spans, new_spans = _spans(old_text, new_text, kind)
    return Row(kind=kind, old_number=old_number, old=old_spans, new_number=new_number, new=new_spans)


def _spans(old: str, new: str, kind: Kind) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    if kind != "changed":
        is_changed = kind != "same"
        return tuple(_whole(old, is_changed=is_changed)), tuple(_whole(new, is_changed=is_changed))
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if max(len(before), len(after)) > _MAX_WORDS or matcher.ratio() < _ALIKE:
        return tuple(_whole(old, is_changed=True)), tuple(_whole(new, is_changed=True))
    opcodes = matcher.get_opcodes()
    return (
        tuple(_span(before[i1:i2], tag) for tag, i1, i2, _, _ in opcodes if i1 < i2),
        tuple(_span(after[j1:j2], tag) for tag, _, _, j1, j2 in opcodes if j1 < j2),
    )


def _whole(text: str, *, is_changed: bool) -> Iterator[Span]:
    if text:
        yield Span(text=text, is_changed=is_changed)


def _span(words: list[str], tag: str) -> Span:
    return Span(text="".join(words), is_changed=tag != "equal")


def _read(rows: Iterable[TemplateContent]) -> frozenset[str]:
    return frozenset().union(*map(_names, rows)) - RESERVED


def _names(row: TemplateContent) -> frozenset[str]:
    content = Content(id=0, channel=row.channel, locale=row.locale, title=row.title, body=row.body, html=row.html)
    try:
        return names_used(content)
    except RenderError:
        # A draft may be wrong still; that is said where it is published.
        return frozenset()
