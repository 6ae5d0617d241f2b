"""The forms of a version's wording: one for each channel and language, each mistake said at its field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from notifications.admin_theme import CodeWidget, Dressed, StackedInline
from notifications.models import TemplateContent, TemplateVersion
from notifications.services import previews, templates
from notifications.types import Channel

if TYPE_CHECKING:
    from notifications.pipeline.rendering import Problem

#: BCP 47, as far as our look-up reads it.
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")


def clean_language_tag(tag: str) -> str:
    """Return the tag; raise `ValidationError` unless it is empty or one that our look-up reads."""
    if tag and not _LANGUAGE_TAG.match(tag):
        raise ValidationError(_("Write the language as de or de-AT, or leave it empty."))
    return tag


class SourceField(forms.CharField):
    """Text with the line ends it had: browsers send \\r\\n, and every text would count as changed."""

    def to_python(self, value: Any) -> str:
        """Return the text."""
        return str(super().to_python(value)).replace("\r\n", "\n")


def _source(rows: int, label: Any, help_text: Any, *, required: bool = False) -> SourceField:
    widget = CodeWidget("django", lines=rows)
    return SourceField(required=required, label=label, help_text=help_text, widget=widget)


class ContentForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]
    """The wording of one channel in one language; what is wrong with it is said at the field, with the line."""

    title = SourceField(
        required=False,
        label=_("Title"),
        help_text=_("Subject of an e-mail, heading of an inbox item."),
        widget=AdminTextInputWidget(attrs={"class": "vLargeTextField source"}),
    )
    body = _source(20, _("Text"), _("Plain text."), required=True)
    html = _source(24, _("HTML"), _("E-mail only; empty: made from the text."))

    class Meta:
        model = TemplateContent
        fields = ["channel", "locale", "title", "body", "html"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warnings: list[Problem] = []
        self.fields["locale"].label = _("Language")
        if self.instance.pk:
            # To move the words, delete these and add others: two contents must never swap places half-way.
            self._hide("channel", "locale", *self._unused())

    def clean_locale(self) -> str:
        """Return the language tag."""
        return clean_language_tag(self.cleaned_data["locale"])

    def clean(self) -> dict[str, Any] | None:
        """Check the words as the pipeline will."""
        data = super().clean()
        if "channel" not in self.cleaned_data:
            return data
        row = TemplateContent(**{name: self.cleaned_data.get(name, "") for name in self.Meta.fields})
        for problem in previews.problems_of(row, self.instance.version.template):
            if problem.severity == "warning":
                self.warnings.append(problem)
            elif problem.field not in self.errors:
                self.add_error(problem.field, templates.worded(problem))
        return data

    def _unused(self) -> list[str]:
        """Return the fields that the channel does not have, unless something stands in them."""
        fields = {Channel.EMAIL.value: (), Channel.SMS.value: ("title", "html")}.get(self.instance.channel, ("html",))
        return [name for name in fields if not getattr(self.instance, name)]

    def _hide(self, *names: str) -> None:
        for name in names:
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


class ContentInline(StackedInline):  # type: ignore[type-arg]
    """The contents of a version; who may change the version may change them, while it is a draft."""

    model = TemplateContent
    form = ContentForm
    formset = ContentFormSet
    verbose_name = _("wording")
    verbose_name_plural = _("wording")
    template = "admin/notifications/templateversion/contents.html"
    fields = ["channel", "locale", "title", "body", "html"]

    class Media:
        css = {"all": ["notifications/admin-editor.css"]}
        js = ["notifications/admin-editor.js"]

    def get_extra(self, request: HttpRequest, obj: TemplateVersion | None = None, **kwargs: Any) -> int:
        """Return one empty form where nothing is written yet, and where one is asked for, without a script."""
        return 0 if obj and obj.contents.exists() and "add" not in request.GET else 1

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
