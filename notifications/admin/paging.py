"""Pages of tables too large to count: newer and older instead of numbers, and what takes too long is given up."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field, quote
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db import OperationalError, connection, transaction
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from notifications.services import keyset, logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

#: An offset is read row by row: who wants to go further back narrows the list.
MAX_PAGE = 1000
#: A filter that few of many rows match reads them all; no page waits for longer than this.
MAX_SECONDS = 5.0
_CANCELED = "57014"
#: What stands in a cell without a value.
_NOTHING = "-"


class TookTooLong(Exception):
    """The database was asked for more than a page may wait for."""


class LogList(ChangeList):
    """The list of a log, from a cursor on: of the rows that its form asks for."""

    #: What the stock templates ask for, and a log does not have.
    can_show_all = multi_page = False

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Return the rows that are asked for; none if the form does not understand what."""
        admin = cast("Any", self.model_admin)
        self.form = admin.filter_form(request.GET)
        self.filter_specs: list[Any] = []
        self.has_filters = False
        is_understood = self.form.is_valid()
        self.asked = self.form.asked() if is_understood else logs.Asked()
        self.has_active_filters = bool(self.form.active())
        self.clear_all_filters_qs = "?"
        rows = logs.rows(admin.model, self.asked) if is_understood else self.model._default_manager.none()
        return rows.select_related(*admin.list_select_related) if admin.list_select_related else rows

    def get_results(self, request: HttpRequest) -> None:
        """Read one page."""
        swept = logs.swept(cast("Any", self.model), self.asked)
        cursor = self.form.cursor() if self.form.is_valid() else keyset.Cursor()
        self.page = keyset.page(self.queryset, cursor, size=self.list_per_page, swept=swept)
        self.result_list = cast("Any", self.page.rows)
        # The same twice, or django-unfold writes above the list that so many were found of so many.
        self.result_count = self.full_result_count = len(self.page.rows)
        self.show_full_result_count = self.show_admin_actions = False
        self.paginator = Paginator(self.page.rows, self.list_per_page)

    def headings(self) -> list[tuple[str, str]]:
        """Return the columns: name, label."""
        # Names of fields are plain words in the models.
        labels = [
            str(label_for_field(cast("Any", column), self.model, self.model_admin)) for column in self.list_display
        ]
        return [(_name(column), gettext(label)) for column, label in zip(self.list_display, labels, strict=True)]

    def lines(self) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
        """
        Yield the rows: the address of each, and its cells (name of the column, what stands there).

        Here and not in the table of either look, which read the headings anew for each row: half of the time of a page.
        """
        admin, columns = cast("Any", self.model_admin), [(_name(column), column) for column in self.list_display]
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=["pk"])
        for row in self.page.rows:
            cells = [(name, _shown(row, column, admin)) for name, column in columns]
            yield address.replace("/pk/", f"/{quote(row.pk)}/"), cells

    def newest(self) -> str:
        """Return the address of the first page."""
        return self._from(None)

    def newer(self) -> str:
        """Return the address of the page before; empty: there is none."""
        return self._from(self.page.newer) if self.page.newer else ""

    def older(self) -> str:
        """Return the address of the page after; empty: there is none."""
        return self._from(self.page.older) if self.page.older else ""

    def _from(self, cursor: keyset.Cursor | None) -> str:
        return address_from(self.form.active(), cursor)


def _name(column: Any) -> str:
    return str(getattr(column, "__name__", column))


def _shown(row: Any, column: Any, admin: Any) -> Any:
    """Return what stands in a cell."""
    found, _attr, value = lookup_field(column, row, admin)
    if found is not None and found.choices:
        # Django's own translates all of the choices to show one.
        return dict(found.flatchoices).get(value, value)
    shown = value if found is None or found.is_relation else display_for_field(value, found, _NOTHING)
    return _NOTHING if shown in (None, "") else shown


def address_from(asked: dict[str, str], cursor: keyset.Cursor | None) -> str:
    """Return the part of an address that asks the same from a cursor on; None: from the newest."""
    query = dict(asked)
    if cursor is not None:
        query |= {name: str(value) for name in ("before", "after") if (value := getattr(cursor, name)) is not None}
    return f"?{urlencode(query)}"


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Looks one row beyond the page instead of counting: a COUNT(*) of a large table reads all of it."""

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
