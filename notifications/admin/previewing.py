"""What the editor asks while somebody writes: how it will look, and a test to themselves. Saves nothing of the draft."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from notifications.admin.base import staff_member
from notifications.admin.contents import clean_language_tag
from notifications.exceptions import RenderError
from notifications.models import TemplateContent, TemplateVersion
from notifications.services import own_tests, previews, templates
from notifications.types import Channel
from notifications.values import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

    from notifications.services.own_tests import Result

EDIT = "notifications.change_templateversion"
#: What one member of staff may ask of this process in a minute. A preview is asked for at each pause in writing.
PREVIEWS, TESTS = 120, 10

_PREFIX = re.compile(r"contents-(\d{1,4})\Z")
_asked = LocMemCache("notification-previews", {"OPTIONS": {"MAX_ENTRIES": 10_000}})
_TEXTS = ("title", "body", "html")


def preview_view(model_admin: ModelAdmin[TemplateVersion], request: HttpRequest, object_id: str) -> HttpResponse:
    """Show one wording of the form as it stands, as its reader would see it."""
    return _page(model_admin, request, object_id, title=_("Preview"), rate=PREVIEWS)


def test_view(model_admin: ModelAdmin[TemplateVersion], request: HttpRequest, object_id: str) -> HttpResponse:
    """Send one wording of the form to whoever is logged in, and show it with what the provider answered."""
    return _page(model_admin, request, object_id, title=_("Test"), rate=TESTS, send=_send)


def _page(
    model_admin: ModelAdmin[TemplateVersion],
    request: HttpRequest,
    object_id: str,
    *,
    title: str,
    rate: int,
    send: Callable[[HttpRequest, TemplateContent, str], list[Result]] | None = None,
) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    version = _version(object_id)
    if not model_admin.has_view_permission(request, version) or (send and not request.user.has_perm(EDIT)):
        raise PermissionDenied
    if not _may_ask(title, request, rate):
        return HttpResponse(_("That was often. Wait a minute, then try again."), status=429, content_type="text/plain")
    row, sample = _content(request, version), request.POST.get("sample", "")
    context: dict[str, Any] = {
        "results": send(request, row, sample) if send else None,
        "preview": previews.preview(row, version.template, reader=_reader(request, row), sample=sample),
        "name": templates.name_of(row),
        "prefix": request.POST["content"],
    }
    if request.POST.get("fragment"):
        return render(request, "admin/notifications/templateversion/preview.html", context)
    context |= {**model_admin.admin_site.each_context(request), "title": title, "original": version}
    return render(request, "admin/notifications/templateversion/preview_page.html", context)


def _send(request: HttpRequest, row: TemplateContent, sample: str) -> list[Result]:
    """Send it, unless something is wrong with it: the preview below says what."""
    template = row.version.template
    if any(found.severity == "error" for found in previews.problems_of(row, template)):
        return [own_tests.Result(is_sent=False, text=_("Not sent: mend the errors first."))]
    try:
        return own_tests.send(row, template, user=staff_member(request), sample=sample)
    except RenderError as e:
        return [own_tests.Result(is_sent=False, text=str(e))]


def _version(object_id: str) -> TemplateVersion:
    if not object_id.isdecimal() or len(object_id) > 18:
        raise Http404
    return get_object_or_404(TemplateVersion.objects.select_related("template__category"), pk=int(object_id))


def _content(request: HttpRequest, version: TemplateVersion) -> TemplateContent:
    """Return the wording asked for, as it stands in the form; what is published, as it is."""
    prefix = request.POST.get("content", "")
    if not _PREFIX.match(prefix):
        raise Http404
    given = {name: request.POST.get(f"{prefix}-{name}", "") for name in ("id", "channel", "locale", *_TEXTS)}
    row = version.contents.filter(pk=int(given["id"])).first() if re.fullmatch(r"\d{1,18}", given["id"]) else None
    if row is None:
        row = _new(given["channel"], given["locale"])
    if version.published_at is None:
        for name in _TEXTS:
            setattr(row, name, given[name].replace("\r\n", "\n"))
    row.version = version
    return row


def _new(channel: str, locale: str) -> TemplateContent:
    try:
        clean_language_tag(locale)
    except ValidationError as e:
        raise Http404 from e
    if channel not in Channel.values:
        raise Http404
    return TemplateContent(channel=channel, locale=locale)


def _reader(request: HttpRequest, row: TemplateContent) -> Reader:
    user = staff_member(request)
    return Reader(name=user.get_full_name() or user.get_username(), locale=row.locale)


def _may_ask(what: str, request: HttpRequest, rate: int) -> bool:
    """Count a question; in this process's memory, so that nobody waits for a cache."""
    key = f"{what}:{request.user.pk}:{int(time.time() // 60)}"
    _asked.add(key, 0, timeout=120)
    return _asked.incr(key) <= rate
