"""The wording of a template: one draft at a time in an editor, everything published read-only."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin import previewing
from notifications.admin.base import CarefulAdmin, staff_member
from notifications.admin.cells import at, page_of
from notifications.admin.contents import ContentInline
from notifications.admin.versions import PUBLISH, address_of, status_of
from notifications.models import Template, TemplateVersion
from notifications.pipeline.safe_tags import register as language
from notifications.services import previews, samples, templates

_ALWAYS_THERE = (
    ("recipient_name", _("The reader's name.")),
    ("site_name", _("The name of this site.")),
    ("action_url", _("The link, empty if there is none; inside href: {% action_url %}.")),
    ("action_text", _("The label of the link.")),
)


@admin.register(TemplateVersion)
class TemplateVersionAdmin(CarefulAdmin):
    """The editor of a draft. What is published is shown as it is and stays as it is: deliveries are pinned to it."""

    list_display = ["__str__", "status", "origin", "created_by", at("created_at"), at("published_at")]
    list_filter = ["template"]
    list_select_related = ["template", "created_by"]
    actions = None
    inlines = [ContentInline]
    readonly_fields = ("template", "status", "created_by", "created_at", "origin", "published_at")

    def get_fields(self, request: HttpRequest, obj: TemplateVersion | None = None) -> Any:
        """Return few lines above the editor, more above what was published."""
        fields = [("template", "status"), ("created_by", "created_at")]
        return fields if obj and obj.published_at is None else [*fields, ("origin", "published_at")]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep it off the front page: versions are reached from their template."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Begin drafts from the template only: each is a copy of what is live."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        """Allow it while it is a draft."""
        return (obj is None or obj.published_at is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        """Allow to discard a draft to whoever may edit it."""
        return obj is not None and self.has_change_permission(request, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """Return the version; before a change, lock it: nobody may publish it while its words are replaced."""
        version = super().get_object(request, object_id, from_field)
        if version is None or request.method != "POST" or not connection.in_atomic_block:
            return version
        return TemplateVersion.objects.select_for_update().filter(pk=version.pk).first()

    def get_urls(self) -> list[URLPattern]:
        """Add what the editor asks while somebody writes."""
        views = {"preview": previewing.preview_view, "test": previewing.test_view}
        added = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(partial(view, self)),
                name=f"notifications_templateversion_{name}",
            )
            for name, view in views.items()
        ]
        return [*added, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the editor with what may be used in it."""
        context = {
            **(extra_context or {}),
            "always_there": [(f"{{{{ {name} }}}}", text) for name, text in _ALWAYS_THERE],
            "filters": sorted(language.filters),
            "tags": sorted(language.tags),
            "may_publish": request.user.has_perm(PUBLISH),
            "may_test": request.user.has_perm(previewing.EDIT),
        }
        version = _version(object_id)
        if version is not None:
            context["recent_events"] = samples.recent(version.template)
            context["title"] = _("Edit wording") if version.published_at is None else _("Wording")
            context["declared"] = [
                {
                    "name": f"{{{{ {name} }}}}",
                    "required": declared.get("required", True),
                    "sample": json.dumps(declared.get("sample"), ensure_ascii=False, indent=2),
                }
                for name, declared in version.template.variables.items()
            ]
        return super().change_view(request, object_id, form_url, context)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the words, and tell what is worth a second look."""
        super().save_related(request, form, formsets, change)
        if any(formset.has_changed() for formset in formsets):
            templates.note_edit(form.instance, user=staff_member(request), now=clock.now())
        for formset in formsets:
            for content_form in formset.forms:
                for problem in content_form.warnings if content_form not in formset.deleted_forms else ():
                    messages.warning(
                        request, f"{templates.name_of(content_form.instance)}: {templates.worded(problem)}"
                    )
        if names := previews.unused(form.instance.contents.all(), form.instance.template):
            messages.warning(request, previews.worded_unused(names))

    def response_change(self, request: HttpRequest, obj: TemplateVersion) -> HttpResponse:
        """Stay in the editor, or go on to publishing."""
        if "_publish" in request.POST and request.user.has_perm(PUBLISH):
            # What it changes is seen first.
            return HttpResponseRedirect(address_of("publish", obj.template_id))
        messages.success(request, _("The draft is saved. What is live has not changed."))
        return HttpResponseRedirect(page_of(TemplateVersion, obj.pk))

    def delete_model(self, request: HttpRequest, obj: TemplateVersion) -> None:
        """Discard the draft."""
        templates.discard(obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Discard a draft, and go back to its template."""
        version = _version(object_id)
        response = super().delete_view(request, object_id, extra_context)
        is_done = request.method == "POST" and isinstance(response, HttpResponseRedirect)
        return _to_template(version.template_id) if is_done and version else response

    @admin.display(description=_("status"))
    def status(self, obj: TemplateVersion) -> Any:
        """Return what the version is used for."""
        return status_of(obj, obj.template)


def _to_template(code: str) -> HttpResponse:
    return HttpResponseRedirect(page_of(Template, code))


def _version(object_id: str) -> TemplateVersion | None:
    if not object_id.isdecimal() or len(object_id) > 18:
        return None
    return TemplateVersion.objects.select_related("template__category").filter(pk=int(object_id)).first()
