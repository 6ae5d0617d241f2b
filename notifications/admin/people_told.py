"""The timeline: all that one person, or one address without a user, was told, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from notifications.admin import paging
from notifications.admin.cells import masked
from notifications.admin.find import MAX_TERM, VIEW, name_of
from notifications.services import timeline
from notifications.services.keyset import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite

    from notifications.services.timeline import Page


class _CursorForm(forms.Form):
    before = forms.UUIDField(required=False)
    after = forms.UUIDField(required=False)


def urls(site: AdminSite) -> list[Any]:
    """Return the pages'."""
    return [
        path("timeline/address/", site.admin_view(address_view), name="notifications_timeline_address"),
        path("timeline/<str:pk>/", site.admin_view(user_view), name="notifications_timeline"),
    ]


def user_view(request: HttpRequest, pk: str) -> HttpResponse:
    """Show what a user was told."""
    _check(request)
    try:
        user = get_user_model()._default_manager.filter(pk=pk).first()
    except (ValueError, ValidationError, OverflowError):
        user = None
    if user is None:
        messages.warning(request, _("There is no user with this id."))
        return HttpResponseRedirect(reverse("admin:notifications_find"))
    return _shown(request, name_of(user), {}, lambda cursor: timeline.of_user(user, cursor), user=user)


def address_view(request: HttpRequest) -> HttpResponse:
    """Show what went to an address that belongs to no user."""
    _check(request)
    address = request.GET.get("address", "").strip()[:MAX_TERM].replace("\x00", "")
    asked = {"address": address}
    return _shown(request, masked(address), asked, lambda cursor: timeline.of_address(address, cursor))


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm(VIEW):
        raise PermissionDenied


def _shown(
    request: HttpRequest, name: str, asked: dict[str, str], read: Callable[[Cursor], Page], *, user: Any = None
) -> HttpResponse:
    form = _CursorForm(request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    page = None
    try:
        with paging.limited_time():
            page = read(Cursor(before=given.get("before"), after=given.get("after")))
    except paging.TookTooLong:
        messages.warning(request, _("This takes too long at the moment. Look for an id instead."))
    ways = [(entry, [(way, masked(way.address)) for way in entry.ways]) for entry in page.entries] if page else []
    context = {
        **admin.site.each_context(request),
        "title": _("Timeline of %(name)s") % {"name": name},
        "entries": ways,
        "newest": paging.address_from(asked, None),
        "newer": paging.address_from(asked, page.newer) if page and page.newer else "",
        "older": paging.address_from(asked, page.older) if page and page.older else "",
        "user_told": user,
        "is_first": not given.get("before") and not given.get("after"),
    }
    return TemplateResponse(request, "admin/notifications/logs/timeline.html", context)
