"""The first page of the admin: how late we are, what waits, who works, and what became of what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from notifications import clock
from notifications.admin import dashboard_past, dashboard_rows, paging
from notifications.admin.dashboard_links import Links
from notifications.admin_theme import UNFOLD
from notifications.services import monitor
from notifications.services.statistics import Window

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

SEE = "notifications.view_dashboard"
#: Seconds between two looks of a page that refreshes itself.
EVERY = 5


def index(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Show the dashboard to those who may see it, and Django's list of models to the others."""
    if not request.user.has_perm(SEE):
        return _list_of_models(request, extra_context)
    context = {**_context(request), "in_unfold": UNFOLD, "title": _("Dashboard"), **(extra_context or {})}
    response = _list_of_models(request, context)
    response.template_name = "admin/notifications/dashboard/index.html"
    return response


@never_cache
def fragment(request: HttpRequest) -> HttpResponse:
    """Return the part of the page that changes, for its script."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    return TemplateResponse(request, "admin/notifications/dashboard/figures.html", _context(request))


def urls() -> list[URLPattern]:
    """Return the address of the part that changes."""
    return [path("dashboard/", admin.site.admin_view(fragment), name="notifications_dashboard")]


def window_asked(request: HttpRequest) -> Window:
    """Return how far back somebody wants to look; a day if the address says nothing that is known."""
    asked = request.GET.get("window")
    return Window(asked) if asked in Window.values else Window.DAY


def _context(request: HttpRequest) -> dict[str, Any]:
    now, window = clock.now(), window_asked(request)
    address = f"{reverse('admin:notifications_dashboard')}?window={window.value}"
    context: dict[str, Any] = {"window": window, "windows": list(Window), "address": address, "every": EVERY}
    try:
        with paging.limited_time():
            present, past = monitor.present(now), monitor.past(window, now)
    except paging.TookTooLong:
        return {**context, "took_too_long": True}
    links = Links.of(request)
    return {**context, **dashboard_rows.of_present(present, links), **dashboard_past.of_past(past, links)}


# Not a site of our own: the look brings one, and this works on any.
_list_of_models = admin.site.index
admin.site.index = index  # type: ignore[method-assign,assignment]
