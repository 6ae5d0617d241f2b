"""The page that finds anything staff have at hand: one box, and where each thing it stands for is to be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from notifications.admin import paging
from notifications.admin.cells import masked, page_of
from notifications.services import find, finding
from notifications.services.find import Hit, Kind

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

VIEW = "notifications.view_delivery"
#: Longer than anything that is looked for; addresses, too.
MAX_TERM = 320
#: Recipients of an event that are named beside it; its own page names all.
NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One line of the page."""

    kind: str
    address: str
    text: str
    by: str
    at: str
    #: (where the timeline of somebody it was for is, their name).
    timelines: list[tuple[str, str]] = field(default_factory=list)
    #: There are so many more.
    others: int = 0


def urls(site: AdminSite) -> list[Any]:
    """Return the page's."""
    return [path("find/", site.admin_view(find_view), name="notifications_find")]


def find_view(request: HttpRequest) -> HttpResponse:
    """Show what goes by a term; if it is one thing, go there."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    term = request.GET.get(SEARCH_VAR, "").strip()[:MAX_TERM]
    hits: list[Hit] = []
    try:
        with paging.limited_time():
            hits = find.find(term)
    except paging.TookTooLong:
        messages.warning(request, _("This takes too long at the moment. Look for an id instead."))
    users = _users(hits)
    lines = [_found(hit, term, users) for hit in hits]
    if len(lines) == 1:
        return HttpResponseRedirect(lines[0].address)
    context = {
        **admin.site.each_context(request),
        "title": _("Find"),
        "term": term,
        "lines": lines,
        "is_full": len(lines) >= find.SHOWN,
    }
    return TemplateResponse(request, "admin/notifications/logs/find.html", context)


def timeline_of(pk: Any, entry: UUID | None = None) -> str:
    """Return where the timeline of a user is; with an entry, the page that begins with it."""
    address = reverse("admin:notifications_timeline", args=[pk])
    return address if entry is None else f"{address}?{urlencode({'before': str(UUID(int=entry.int + 1))})}"


def _users(hits: list[Hit]) -> dict[str, Any]:
    """Return the users that are named beside what was found, by primary key as text."""
    model = get_user_model()
    named = {text for hit in hits for text in find.recipients(hit)[:NAMED]}
    # Of an event that nobody could be told, some are no keys at all.
    keys = {key for text in named if (key := finding.primary_key(text)) is not None}
    return {str(user.pk): user for user in model._default_manager.filter(pk__in=keys)} if keys else {}


def _found(hit: Hit, term: str, users: dict[str, Any]) -> Found:
    kind = str(hit.kind.label)
    if hit.kind is Kind.ADDRESS:
        address = f"{reverse('admin:notifications_timeline_address')}?{urlencode({'address': term})}"
        return Found(kind=kind, address=address, text=masked(term), by=hit.by, at="")
    if hit.kind is Kind.PERSON:
        return Found(kind=kind, address=timeline_of(hit.row.pk), text=hit.row.get_username(), by=hit.by, at="")
    made = localtime(hit.row.created_at).strftime("%Y-%m-%d %H:%M:%S")
    text = " · ".join(part for part in (hit.row.template_id, getattr(hit.row, "about", "")) if part)
    recipients = find.recipients(hit)
    named = [users[key] for key in recipients[:NAMED] if key in users]
    return Found(
        kind=kind,
        address=page_of(type(hit.row), hit.row.pk),
        text=text or str(hit.row.pk),
        by=hit.by,
        at=made,
        timelines=[(timeline_of(user.pk, find.entry(hit)), user.get_username()) for user in named],
        others=max(len(recipients) - NAMED, 0),
    )


def name_of(user: Any) -> str:
    """Return how a page calls a user: by name, with the address masked."""
    email = getattr(user, get_user_model().get_email_field_name(), "")
    return f"{user.get_username()} ({masked(email)})" if email and email != user.get_username() else user.get_username()
