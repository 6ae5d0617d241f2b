"""The wording of a template: one draft at a time in an editor, everything published read-only."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin.base import CarefulAdmin
from notifications.admin.template import staff_member
from notifications.models import TemplateContent, TemplateVersion
from notifications.pipeline.safe_tags import register as language
from notifications.services import templates
from notifications.types import Channel

if TYPE_CHECKING:
    from notifications.pipeline.rendering import Problem

PUBLISH = "notifications.change_template"

#: BCP 47, as far as our look-up reads it.
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")

_ALWAYS_THERE = (
    ("recipient_name", _("The reader's name.")),
    ("site_name", _("The name of this site.")),
    ("action_url", _("The link, empty if there is none; inside href: {% action_url %}.")),
    ("action_text", _("The label of the link.")),
)


class SourceField(forms.CharField):
    """Text with the line ends it had: browsers send \\r\\n, and every text would count as changed."""

    def to_python(self, value: Any) -> str:
        """Return the text."""
        return str(super().to_python(value)).replace("\r\n", "\n")


def _source(rows: int, label: Any, help_text: Any, *, required: bool = False) -> SourceField:
    attrs = {"class": "vLargeTextField source", "rows": rows, "spellcheck": "true"}
    return SourceField(required=required, label=label, help_text=help_text, widget=AdminTextareaWidget(attrs=attrs))


class ContentForm(forms.ModelForm):  # type: ignore[type-arg]
    """The wording of one channel in one language; what is wrong with it is said at the field, with the line."""

    title = SourceField(
        required=False,
        label=_("Title"),
        help_text=_("Subject of an e-mail, heading of an inbox item."),
        widget=AdminTextInputWidget(attrs={"class": "vLargeTextField source"}),
    )
    body = _source(8, _("Text"), _("Plain text."), required=True)
    html = _source(12, _("HTML"), _("E-mail only; empty: made from the text."))

    class Meta:
        model = TemplateContent
        fields = ["channel", "locale", "title", "body", "html"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warnings: list[Problem] = []
        self.fields["locale"].label = _("Language")
        if self.instance.pk:
            # To move the words, delete these and add others: two contents must never swap places half-way.
            self.fields["channel"].disabled = self.fields["locale"].disabled = True
            self._hide_what_the_channel_has_not()

    def clean_locale(self) -> str:
        """Return the language tag."""
        tag: str = self.cleaned_data["locale"]
        if tag and not _LANGUAGE_TAG.match(tag):
            raise ValidationError(_("Write the language as de or de-AT; leave it empty for any."))
        return tag

    def clean(self) -> dict[str, Any] | None:
        """Check the words as the pipeline will."""
        data = super().clean()
        if self.errors or not isinstance(self.instance, TemplateContent):
            return data
        version = self.instance.version
        row = TemplateContent(**{name: self.cleaned_data.get(name) or "" for name in self.Meta.fields})
        for problem in templates.problems_of(row, version.template.variables):
            if problem.severity == "error":
                self.add_error(problem.field, templates.worded(problem))
            else:
                self.warnings.append(problem)
        return data

    def _hide_what_the_channel_has_not(self) -> None:
        unused = {Channel.SMS.value: ("title", "html"), Channel.EMAIL.value: ()}.get(self.instance.channel, ("html",))
        for name in unused:
            if not getattr(self.instance, name):
                self.fields[name].disabled = True
                self.fields[name].widget = forms.HiddenInput()


class ContentFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """All the wording of a version: each channel once in each language."""

    def clean(self) -> None:
        """Refuse a second wording for the same readers, and to publish nothing."""
        super().clean()
        deleted = {form.instance.pk for form in self.deleted_forms}
        saved = TemplateContent.objects.filter(version=self.instance).exclude(pk__in=deleted)
        taken = {(row.channel, row.locale.lower()) for row in saved if not row.variant}
        for form in self.extra_forms:
            data = getattr(form, "cleaned_data", {})
            if not data.get("channel") or form in self.deleted_forms:
                continue
            key = (data["channel"], data.get("locale", "").lower())
            if key in taken:
                form.add_error("locale", _("This channel has wording in this language already."))
            taken.add(key)
        if not taken and "_publish" in self.data:
            raise ValidationError(_("Nothing is written yet: add the wording of at least one channel."))


class ContentInline(admin.StackedInline):  # type: ignore[type-arg]
    """The contents of a version; who may change the version may change them, while it is a draft."""

    model = TemplateContent
    form = ContentForm
    formset = ContentFormSet
    verbose_name = _("wording")
    verbose_name_plural = _("wording")
    fields = [("channel", "locale"), "title", "body", "html"]

    def get_extra(self, request: HttpRequest, obj: TemplateVersion | None = None, **kwargs: Any) -> int:
        """Return one empty form where nothing is written yet."""
        return 0 if obj and obj.contents.exists() else 1

    def has_view_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        """Show them with their version."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        """Allow it in a draft."""
        return self._may_edit(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        """Allow it in a draft."""
        return self._may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        """Allow it in a draft."""
        return self._may_edit(request, obj)

    def _may_edit(self, request: HttpRequest, obj: TemplateVersion | None) -> bool:
        return self.admin_site.get_model_admin(TemplateVersion).has_change_permission(request, obj)


@admin.register(TemplateVersion)
class TemplateVersionAdmin(CarefulAdmin):
    """The editor of a draft. What is published is shown as it is and stays as it is: deliveries are pinned to it."""

    list_display = ["__str__", "status", "origin", "created_by", "created_at", "published_at"]
    list_filter = ["template"]
    list_select_related = ["template", "created_by"]
    actions = None
    inlines = [ContentInline]
    fields = readonly_fields = ["template", "status", "origin", "created_by", "created_at", "published_at"]

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
        if version is None or request.method != "POST":
            return version
        return TemplateVersion.objects.select_for_update().filter(pk=version.pk).first()

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
        }
        version = TemplateVersion.objects.select_related("template").filter(pk=_number(object_id)).first()
        if version is not None:
            context["declared"] = [
                {
                    "name": f"{{{{ {name} }}}}",
                    "required": declared.get("required", True),
                    "sample": json.dumps(declared["sample"], ensure_ascii=False, indent=2),
                }
                for name, declared in version.template.variables.items()
            ]
        return super().change_view(request, object_id, form_url, context)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the words, and tell what is worth a second look."""
        super().save_related(request, form, formsets, change)
        for formset in formsets:
            for content_form in formset.forms:
                for problem in content_form.warnings if content_form not in formset.deleted_forms else ():
                    messages.warning(request, f"{content_form.instance}: {templates.worded(problem)}")

    def response_change(self, request: HttpRequest, obj: TemplateVersion) -> HttpResponse:
        """Stay in the editor; after publishing, go back to the template."""
        here = reverse("admin:notifications_templateversion_change", args=[obj.pk])
        if "_publish" not in request.POST or not request.user.has_perm(PUBLISH):
            messages.success(request, _("The draft is saved. What is live has not changed."))
            return HttpResponseRedirect(here)
        try:
            templates.publish(obj, user=staff_member(request), now=clock.now())
        except (templates.NotReady, templates.NotADraft) as e:
            messages.error(request, str(e))
            return HttpResponseRedirect(here)
        messages.success(request, _("%(version)s is live. What is under way keeps its words.") % {"version": obj})
        return _to_template(obj.template_id)

    def delete_model(self, request: HttpRequest, obj: TemplateVersion) -> None:
        """Discard the draft."""
        templates.discard(obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Go back to the template."""
        messages.success(request, _("The draft %(version)s is discarded.") % {"version": obj_display})
        return _to_template(obj_display.rpartition(" v")[0])

    @admin.display(description=_("status"))
    def status(self, obj: TemplateVersion) -> Any:
        """Return what the version is used for."""
        if obj.published_at is None:
            return _("draft, not in use")
        return _("live") if obj.template.live_version_id == obj.pk else _("replaced by a later one")


def _to_template(code: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:notifications_template_change", args=[code]))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
