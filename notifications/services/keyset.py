"""Pages of tables of any size, newest first: by the primary key, which grows with time. Nothing is counted or skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from notifications import ids

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

#: Rows that one page looks at, at most, where no index knows which of them are meant.
SWEPT = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page begins: below an id, above one, or (neither) at the newest row."""

    before: UUID | None = None
    after: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows, newest first, and where their neighbours begin."""

    rows: list[Any]
    #: None: there is nothing newer, or this is where one begins.
    newer: Cursor | None
    older: Cursor | None
    #: So far it was looked, and no further: what matches beyond it is on the next pages. None: everywhere.
    looked_until: datetime | None


def page(rows: QuerySet[Any], cursor: Cursor, *, size: int, swept: QuerySet[Any] | None = None) -> Page:
    """
    Return a page of `rows`. It does not change when newer rows come in.

    `swept`: rows that hold all of `rows` and are walked through in order: at most `SWEPT` of them are looked at. None:
    an index finds `rows`.
    """
    is_upward = cursor.after is not None
    edge = None if swept is None else _edge(_beyond(swept, cursor), is_upward=is_upward)
    found = _beyond(rows, cursor)
    if edge is not None:
        found = found.filter(pk__lte=edge) if is_upward else found.filter(pk__gte=edge)
    shown = list(found.order_by("pk" if is_upward else "-pk")[: size + 1])
    is_full = len(shown) > size
    if is_full:
        shown, edge = shown[:size], None
    end = shown[-1].pk if is_full else edge
    begin = shown[0].pk if shown else None
    if is_upward:
        return _upward(shown[::-1], cursor, end, begin, edge)
    # One below: what the empty page began at is itself one of those above it.
    start = begin if begin is not None else cursor.before and UUID(int=max(cursor.before.int - 1, 0))
    return Page(
        rows=shown,
        newer=None if cursor.before is None else Cursor(after=start),
        older=None if end is None else Cursor(before=end),
        looked_until=None if edge is None else ids.made_at(edge),
    )


def _upward(rows: list[Any], cursor: Cursor, end: UUID | None, begin: UUID | None, edge: UUID | None) -> Page:
    assert cursor.after is not None
    return Page(
        rows=rows,
        newer=None if end is None else Cursor(after=end),
        older=Cursor(before=begin if begin is not None else UUID(int=min(cursor.after.int + 1, 2**128 - 1))),
        looked_until=None if edge is None else ids.made_at(edge),
    )


def _beyond(rows: QuerySet[Any], cursor: Cursor) -> QuerySet[Any]:
    if cursor.after is not None:
        return rows.filter(pk__gt=cursor.after)
    return rows if cursor.before is None else rows.filter(pk__lt=cursor.before)


def _edge(swept: QuerySet[Any], *, is_upward: bool) -> UUID | None:
    """Return the last row that is looked at; None: all are."""
    walked = swept.order_by("pk" if is_upward else "-pk").values_list("pk", flat=True)
    # The last one of all is no edge: beyond it there is nothing.
    ahead = list(walked[SWEPT - 1 : SWEPT + 1])
    return ahead[0] if len(ahead) > 1 else None
