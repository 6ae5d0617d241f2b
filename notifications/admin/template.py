"""Templates and categories for staff: what is live, and the way to other words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications import clock
from notifications.admin.base import short_json, staff_member
from notifications.admin.cells import page_of, pretty
from notifications.admin.template_list import TemplateColumns
from notifications.admin.variables import VariablesField
from notifications.admin.versions import PUBLISH, VersionPages, address_of
from notifications.admin_theme import Dressed
from notifications.models import Template, TemplateContent, TemplateVersion
from notifications.pipeline import rules
from notifications.services import templates

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

EDIT_WORDING = "notifications.change_templateversion"


class StateFilter(admin.SimpleListFilter):
    """Enabled or disabled."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, StrOrPromise]]:
        """Return the choices."""
        return [("enabled", _("Enabled")), ("disabled", _("Disabled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> QuerySet[Template]:
        """Return the templates of the chosen kind; all, if it is none of the choices."""
        is_enabled = {"enabled": True, "disabled": False}.get(self.value() or "")
        return queryset if is_enabled is None else queryset.filter(disabled_at__isnull=is_enabled)


class TemplateForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]
    """A template's own fields; its wording is edited as a draft version."""

    variables = VariablesField(
        required=False,
        help_text=_(
            'What business code passes, each with a sample: {"name": {"sample": "…", "required": true}}. '
            "The wording may use these names only."
        ),
    )

    class Meta:
        model = Template
        fields = ["code", "name", "description", "category", "priority", "escalation", "digest", "variables"]
        widgets = {
            "description": forms.Textarea(attrs={"class": "vLargeTextField", "rows": 2}),
            "escalation": short_json(),
            "digest": short_json(),
        }

    def clean_escalation(self) -> dict[str, int]:
        """Return channel → seconds."""
        try:
            return rules.escalation(self.cleaned_data["escalation"] or {})
        except ValueError as e:
            raise ValidationError(str(e)) from e

    def clean_digest(self) -> dict[str, Any]:
        """Return how it collects."""
        try:
            return rules.digest(self.cleaned_data["digest"] or {})
        except ValueError as e:
            raise ValidationError(str(e)) from e

    def clean_variables(self) -> dict[str, Any]:
        """Return the variables, if the live wording can do with them."""
        declared: dict[str, Any] = self.cleaned_data["variables"]
        for content in TemplateContent.objects.filter(version=self.instance.live_version_id):
            for problem in templates.problems_of(content, declared):
                if problem.severity == "error":
                    message = _("The live wording (%(content)s) needs more: %(problem)s Publish other words first.")
                    raise ValidationError(message % {"content": templates.name_of(content), "problem": problem.message})
        return declared


@admin.register(Template)
class TemplateAdmin(TemplateColumns, VersionPages):
    """A kind of message. Its words are never edited in place: what is on its way keeps what it was planned with."""

    form = TemplateForm
    list_filter = [StateFilter, "category", "priority"]
    search_fields = ["code", "name"]
    autocomplete_fields = ["category"]
    actions = ["disable", "enable"]

    def get_fieldsets(self, request: HttpRequest, obj: Template | None = None) -> Any:
        """Return the fields; variables that come with the code are shown, not edited."""
        if obj is None:
            return [(None, {"fields": self.form.Meta.fields})]
        return [
            (
                None,
                {
                    "fields": [
                        "code",
                        "name",
                        "description",
                        "category",
                        "priority",
                        "escalation",
                        "digest",
                        "still_valid",
                    ]
                },
            ),
            (_("State"), {"fields": [("live", "all_versions"), "disabled_at"]}),
            (
                _("Variables"),
                {"classes": ["collapse"], "fields": ["shipped_variables" if obj.shipped_hash else "variables"]},
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Template | None = None) -> list[str]:
        """Keep the code: events, deliveries and business code point at it."""
        if obj is None:
            return []
        shown = ["code", "still_valid", "shipped_variables", "live", "disabled_at", "all_versions"]
        return [*shown, "variables"] if obj.shipped_hash else shown

    def has_delete_permission(self, request: HttpRequest, obj: Template | None = None) -> bool:
        """Allow it, one by one, for what was never published."""
        if obj is None or obj.versions.filter(published_at__isnull=False).exists():
            return False
        return super().has_delete_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        """Add the address behind the button "Edit wording"."""
        view = self.admin_site.admin_view(self.edit_wording_view)
        edit = path("<path:object_id>/edit-wording/", view, name="notifications_template_edit_wording")
        return [edit, *super().get_urls()]

    def edit_wording_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin a draft, or go on with the one there is."""
        if request.method != "POST":
            # Where one lands after logging in again.
            return HttpResponseRedirect(page_of(Template, unquote(object_id)))
        template = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, template) or not request.user.has_perm(EDIT_WORDING):
            raise PermissionDenied
        if not isinstance(template, Template):
            messages.warning(request, _("There is no template %(code)r.") % {"code": object_id})
            return HttpResponseRedirect(reverse("admin:notifications_template_changelist"))
        return _to_draft(request, template)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the template with its live wording below."""
        template = self.get_object(request, unquote(object_id))
        context = {**(extra_context or {})}
        if isinstance(template, Template):
            context["live_contents"] = TemplateContent.objects.filter(version=template.live_version_id)
            context["draft"] = self.draft(template)
            context["may_edit_wording"] = request.user.has_perm(EDIT_WORDING)
            context["may_publish"] = request.user.has_perm(PUBLISH)
        return super().change_view(request, object_id, form_url, context)

    def response_add(self, request: HttpRequest, obj: Template, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the words: without them nothing can be sent."""
        if "_save" not in request.POST or not request.user.has_perm(EDIT_WORDING):
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, _("The template %(code)s was added. Now write its words.") % {"code": obj.code})
        return _to_draft(request, obj)

    @admin.action(description=_("Disable: send nothing with them"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Template]) -> None:
        """Switch templates off."""
        number = templates.disable(queryset, user=staff_member(request), now=clock.now())
        messages.success(request, ngettext("%d template disabled.", "%d templates disabled.", number) % number)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Template]) -> None:
        """Switch templates on again."""
        number = templates.enable(queryset, user=staff_member(request))
        messages.success(request, ngettext("%d template enabled.", "%d templates enabled.", number) % number)

    @admin.display(description=_("variables"))
    def shipped_variables(self, obj: Template) -> SafeString:
        """Return the variables that come with the code."""
        return pretty(obj.variables)

    @admin.display(description=_("versions"))
    def all_versions(self, obj: Template) -> SafeString:
        """Return a link to them."""
        return format_html('<a href="{}">{}</a>', address_of("versions", obj.pk), _("All versions"))


def _to_draft(request: HttpRequest, template: Template) -> HttpResponse:
    draft = templates.draft_of(template, user=staff_member(request))
    return HttpResponseRedirect(page_of(TemplateVersion, draft.pk))
