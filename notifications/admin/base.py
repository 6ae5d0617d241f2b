"""What the pages of the admin share: bad input finds nothing, big tables are not counted, logs are not edited."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import (
    ALL_VAR,
    ERROR_FLAG,
    ORDER_VAR,
    PAGE_VAR,
    SEARCH_VAR,
)
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from notifications.admin import paging
from notifications.admin.cells import to_the_second
from notifications.admin_theme import UNFOLD, ModelAdmin, TabularInline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User

#: One e-mail address may belong to several accounts; to more than this, it tells nothing.
MAX_NAMESAKES = 100

_NUL = "\x00"
_LIST_VARS = {ALL_VAR, ERROR_FLAG, IS_POPUP_VAR, ORDER_VAR, PAGE_VAR, SEARCH_VAR, TO_FIELD_VAR}


class CarefulAutocomplete(AutocompleteSelect):
    """Django's own raises when a form is shown again with a value that cannot be an id."""

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> Any:
        """Return the options to begin with: what is chosen."""
        try:
            return super().optgroups(name, [text for text in value if _NUL not in text], attrs)
        except (ValueError, OverflowError):
            return super().optgroups(name, [], attrs)


class CarefulAdmin(ModelAdmin):
    """Whatever is typed into the address or the search box is answered by a page, never by an error."""

    show_facets = admin.ShowFacets.NEVER
    #: For templates that both looks use.
    in_unfold = UNFOLD
    #: What links of ours filter a list by, besides `list_filter`.
    linked_by: tuple[str, ...] = ()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """Return the row; none has an id with a NUL, or beyond what the database can hold."""
        try:
            return None if _NUL in object_id else super().get_object(request, object_id, from_field)
        except OverflowError:
            return None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return what matches, and whether it may hold a row twice."""
        if _NUL in search_term:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the field, careful with what comes back from the browser."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", CarefulAutocomplete(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow what our links and filters use: others can be slow, or be refused by one of the databases."""
        path, _, kind = lookup.partition("__")
        if path not in self._filters():
            return False
        return not kind or kind.rpartition("__")[2] in {"exact", "isnull"}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; a question it cannot answer is taken out of the address."""
        if not _has_nul(request.POST) and not _has_nul(request.GET) and self._understands(request):
            with suppress(OverflowError):
                return super().changelist_view(request, extra_context)
        messages.warning(request, _("The address asked for something this list does not know. Here is all of it."))
        return HttpResponseRedirect(request.path)

    def _filters(self) -> set[str]:
        return {str(getattr(item, "parameter_name", item)) for item in self.list_filter}.union(self.linked_by)

    def _understands(self, request: HttpRequest) -> bool:
        return all(key in _LIST_VARS or self.lookup_allowed(key, "", request) for key in request.GET)


def short_json() -> forms.Textarea:
    """Return an input for a line or two of JSON."""
    return forms.Textarea(attrs={"rows": 2, "cols": 60})


class BigTableAdmin(CarefulAdmin):
    """A list that stays fast whatever its size: no count, no show-all, no action on everything."""

    actions = None
    list_max_show_all = 0
    list_per_page = 50
    show_full_result_count = False
    sortable_by: ClassVar[list[str]] = []

    def get_paginator(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        """Return a paginator that knows which page is looked at."""
        paginator = paging.UncountedPaginator(queryset, *args, **kwargs)
        paginator.current = paging.page_asked(request)
        return paginator

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; a question that takes too long is taken out of the address."""
        try:
            with paging.limited_time():
                response = super().changelist_view(request, extra_context)
                # Here, because here is when the rows are read.
                return response.render() if isinstance(response, TemplateResponse) else response
        except paging.TookTooLong:
            few = _("This would take too long: few of many rows match. Look for an id, a person or an object instead.")
            messages.warning(request, few)
            return HttpResponseRedirect(request.path)


class LogAdmin(BigTableAdmin):
    """A log: read by staff, written by the system only. Found by exact values; a LIKE would read all of it."""

    search_fields = ["pk"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds to a log by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody edits a log."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody takes anything out of a log; retention does."""
        return False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns."""
        return to_the_second(self.list_display)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fields of the page."""
        return _timed(super().get_fieldsets(request, obj))

    @admin.display(description=_("template"))
    def template_code(self, obj: Any) -> str | None:
        """Return the code: no other row is read for it."""
        code: str | None = obj.template_id
        return code

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows with this id, about this object, or of this recipient."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if _NUL in term:
            return queryset.none(), False
        return queryset.filter(self.found_by(term)), False

    def found_by(self, term: str) -> Q:
        """Return the condition that a search term stands for."""
        raise NotImplementedError


class ReadOnlyInline(TabularInline):  # type: ignore[type-arg]
    """Rows of a log below the row they belong to."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds to a log by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody edits a log."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the columns."""
        return _timed(super().get_fieldsets(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the columns: none is a form field."""
        return flatten_fieldsets(self.get_fieldsets(request, obj))


def staff_member(request: HttpRequest) -> User:
    """Return who is logged in: the admin lets nobody else in."""
    user = request.user
    assert user.is_authenticated
    return user


def recipients_named(term: str) -> list[Any]:
    """Return the ids of the users with this user name or e-mail address."""
    user_model = get_user_model()
    is_theirs = Q(**{user_model.USERNAME_FIELD: term}) | Q(**{f"{user_model.get_email_field_name()}__iexact": term})
    return list(user_model._default_manager.filter(is_theirs).values_list("pk", flat=True)[:MAX_NAMESAKES])


def as_uuid(term: str) -> UUID | None:
    """Return the id that the term is, if it is one."""
    try:
        return UUID(term)
    except ValueError:
        return None


def _timed(fieldsets: Any) -> Any:
    return [(title, {**options, "fields": to_the_second(options["fields"])}) for title, options in fieldsets]


def _has_nul(data: QueryDict) -> bool:
    return any(_NUL in text for key, values in data.lists() for text in (key, *values))
