"""The versions of a template: their list, two side by side, publishing, rolling back; and who reads what language."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin.base import CarefulAdmin, staff_member
from notifications.admin.cells import page_of
from notifications.models import Template, TemplateContent, TemplateVersion
from notifications.services import coverage, templates, versions, wording_diff
from notifications.types import Channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_stubs_ext import StrOrPromise

PUBLISH = "notifications.publish_templateversion"
_KINDS = {
    "same": _("unchanged"),
    "changed": _("changed"),
    "added": _("only in the newer"),
    "removed": _("only in the older"),
}


def address_of(view: str, code: str, *args: Any) -> str:
    """Return the address of one of these pages."""
    return reverse(f"admin:notifications_template_{view}", args=[quote(code), *args])


def _of_template(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass the template that the address names, to who may see it."""

    @wraps(view)
    def found(self: VersionPages, request: HttpRequest, object_id: str, **kwargs: Any) -> HttpResponse:
        template = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, template):
            raise PermissionDenied
        if not isinstance(template, Template):
            messages.warning(request, _("There is no template %(code)r.") % {"code": object_id})
            return HttpResponseRedirect(reverse("admin:notifications_template_changelist"))
        return view(self, request, template, **kwargs)

    return found


class VersionPages(CarefulAdmin):
    """The pages of a template besides its form."""

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the pages."""
        pages: list[tuple[str, Any, str]] = [
            ("coverage/", self.coverage_view, "coverage"),
            ("<path:object_id>/versions/", self.versions_view, "versions"),
            ("<path:object_id>/compare/", self.compare_view, "compare"),
            ("<path:object_id>/publish/", self.publish_view, "publish"),
            ("<path:object_id>/roll-back/<int:number>/", self.roll_back_view, "roll_back"),
        ]
        wrapped = self.admin_site.admin_view
        return [
            *(path(route, wrapped(view), name=f"notifications_template_{name}") for route, view, name in pages),
            *super().get_urls(),
        ]

    def coverage_view(self, request: HttpRequest) -> HttpResponse:
        """Show, for each template, which languages have words, and whose words the others get."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = [
            _covered(template, coverage.of(template.live_version.contents.all()))
            for template in self.get_queryset(request).exclude(live_version=None)
            if template.live_version
        ]
        return self._page(request, "coverage", _("Languages"), rows=rows, locales=coverage.locales())

    @_of_template
    def versions_view(self, request: HttpRequest, template: Template) -> HttpResponse:
        """Show every version, who made it, and what still waits to be sent with it."""
        waiting = versions.waiting(template)
        rows = [
            {"version": version, "status": status_of(version, template), "waiting": waiting.by_version[version.pk]}
            for version in template.versions.select_related("created_by", "edited_by")
        ]
        page = {"rows": rows, "is_all": waiting.is_all, "counted": versions.MAX_COUNTED}
        return self._page(request, "versions", _("Versions"), template, **page)

    @_of_template
    def compare_view(self, request: HttpRequest, template: Template) -> HttpResponse:
        """Show two versions side by side: what is live and the draft, unless others are asked for."""
        numbered = {str(version.number): version for version in template.versions.all()}
        live = template.live_version
        newest = next(iter(numbered.values()), None)
        given = [request.GET.get(name, "") for name in ("old", "new")]
        if any(number and number not in numbered for number in given):
            messages.warning(request, _("There is no such version. These are what is live and the newest."))
            return HttpResponseRedirect(request.path)
        old, new = numbered.get(given[0], live), numbered.get(given[1], newest)
        page = {"versions": list(numbered.values()), "is_new_status": status_of(new, template) if new else ""}
        return self._page(request, "compare", _("Compare versions"), template, **page, **_difference(old, new))

    @_of_template
    def publish_view(self, request: HttpRequest, template: Template) -> HttpResponse:
        """Show what publishing the draft would change; do it, if that is what was seen."""
        self._check_may_publish(request)
        draft = template.versions.filter(published_at__isnull=True).first()
        if draft is None:
            messages.warning(request, _("There is no draft to publish."))
            return HttpResponseRedirect(page_of(Template, template.pk))
        seen = versions.fingerprint(draft, template.live_version_id)
        if request.method == "POST" and request.POST.get("seen") == seen:
            return self._publish(request, draft)
        if request.method == "POST":
            messages.warning(request, _("Somebody changed it meanwhile; this is what would be published now."))
        page = {"seen": seen, "problem": _problem(draft, template), **_difference(template.live_version, draft)}
        return self._page(request, "publish", _("Publish"), template, **page)

    @_of_template
    def roll_back_view(self, request: HttpRequest, template: Template, number: int) -> HttpResponse:
        """Make a version live again."""
        if request.method != "POST":
            # Where one lands after logging in again.
            return HttpResponseRedirect(address_of("versions", template.code))
        self._check_may_publish(request)
        try:
            version = templates.roll_back(template, number, user=staff_member(request))
        except (templates.NotPublished, templates.NotReady) as e:
            messages.error(request, str(e))
        else:
            done = _("%(version)s is live again. What is under way keeps its words.") % {"version": version}
            messages.success(request, done)
        return HttpResponseRedirect(address_of("versions", template.code))

    def _publish(self, request: HttpRequest, draft: TemplateVersion) -> HttpResponse:
        try:
            templates.publish(draft, user=staff_member(request), now=clock.now())
        except (templates.NotReady, templates.NotADraft) as e:
            messages.error(request, str(e))
            return HttpResponseRedirect(page_of(TemplateVersion, draft.pk))
        messages.success(request, _("%(version)s is live. What is under way keeps its words.") % {"version": draft})
        return HttpResponseRedirect(page_of(Template, draft.template_id))

    def _check_may_publish(self, request: HttpRequest) -> None:
        if not request.user.has_perm(PUBLISH):
            raise PermissionDenied

    def _page(
        self, request: HttpRequest, name: str, title: StrOrPromise, template: Template | None = None, **page: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "original": template,
            "may_publish": request.user.has_perm(PUBLISH),
            **page,
        }
        return TemplateResponse(request, f"admin/notifications/template/{name}.html", context)


def _covered(template: Template, found: coverage.Coverage) -> dict[str, Any]:
    named = [(Channel(channel).label, cells) for channel, cells in found.rows.items()]
    return {"template": template, "coverage": found, "rows": named}


def status_of(version: TemplateVersion, template: Template) -> StrOrPromise:
    """Return what a version is used for."""
    if version.published_at is None:
        return _("draft, not in use")
    return _("live") if version.pk == template.live_version_id else _("was live")


def _difference(old: TemplateVersion | None, new: TemplateVersion | None) -> dict[str, Any]:
    before, after = _words(old), _words(new)
    found = wording_diff.compare(before, after)
    return {
        "old": old,
        "new": new,
        "contents": [(content, _KINDS[content.kind]) for content in found if content.kind != "same"],
        "unchanged": [templates.name_of(content.row) for content in found if content.kind == "same"],
        "variables": wording_diff.variables(before, after),
    }


def _words(version: TemplateVersion | None) -> list[TemplateContent]:
    return list(TemplateContent.objects.filter(version=version)) if version else []


def _problem(draft: TemplateVersion, template: Template) -> str:
    try:
        templates.check_ready(draft, template)
    except templates.NotReady as e:
        return str(e)
    return ""
