"""Pages of tables too large to count: one row is looked ahead, and what takes too long is given up."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db import OperationalError, connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

#: An offset is read row by row: who wants to go further back narrows the list.
MAX_PAGE = 1000
#: A filter that few of many rows match reads them all; no page waits for longer than this.
MAX_SECONDS = 5.0
_CANCELED = "57014"


class TookTooLong(Exception):
    """The database was asked for more than a page may wait for."""


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Looks one row beyond the page instead of counting: a COUNT(*) of a log reads all of it."""

    current = 1

    @cached_property
    def count(self) -> int:
        """Return the rows up to this page's end, and one more if there are more: exact on the last page."""
        start = (self.current - 1) * self.per_page
        rows = cast("QuerySet[Any]", self.object_list)
        seen = rows.values_list("pk", flat=True)[start : start + self.per_page + 1]
        return start + len(seen)

    @cached_property
    def at_least(self) -> int | None:
        """Return the number that the rows exceed; None: `count` is exact."""
        end = self.current * self.per_page
        return end if self.count > end else None


def page_asked(request: HttpRequest) -> int:
    """Return the number of the page, from 1."""
    try:
        number = int(request.GET.get(PAGE_VAR, 1))
    except ValueError:
        return 1
    return min(max(number, 1), MAX_PAGE)


@contextmanager
def limited_time() -> Iterator[None]:
    """Give up a statement that takes longer than `MAX_SECONDS`, with `TookTooLong`; on SQLite nothing is given up."""
    if connection.vendor != "postgresql":
        yield
        return
    try:
        with transaction.atomic():
            before = _set_limit(str(round(MAX_SECONDS * 1000)))
            yield
            # There may be a transaction around ours.
            _set_limit(before)
    except OperationalError as e:
        if getattr(e.__cause__, "sqlstate", "") != _CANCELED:
            raise
        raise TookTooLong from e


def _set_limit(milliseconds: str) -> str:
    """Set the time of a statement for the rest of the transaction; return what it was."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)", [milliseconds]
        )
        return str(cursor.fetchone()[0])
