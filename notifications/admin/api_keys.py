"""The keys of other services: made here, shown once, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin.base import CarefulAdmin, staff_member
from notifications.admin.cells import at
from notifications.admin_theme import Dressed
from notifications.models import ApiKey, Template
from notifications.models.api_keys import ALL
from notifications.services import api_keys, journal
from notifications.services.api_keys import WrongApiKey


def _choices() -> list[tuple[str, Any]]:
    codes = Template.objects.order_by("code").values_list("code", flat=True)
    return [(ALL, _("all, also those to come")), *((code, code) for code in codes)]


class ApiKeyForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]
    """What a key may do. The key itself is made by the service."""

    templates = forms.MultipleChoiceField(
        label=_("Templates"),
        choices=_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What it may publish; none: nothing."),
    )

    class Meta:
        model = ApiKey
        fields = ["name", "templates", "may_publish", "may_read", "expires_at"]
        labels = {"may_publish": _("May publish"), "may_read": _("May read what became of it")}
        help_texts = {"name": _("The service it is for."), "expires_at": _("Empty: never.")}

    def clean(self) -> dict[str, Any] | None:
        """Return what was given, if a key can be made with it."""
        cleaned: dict[str, Any] = super().clean() or {}
        expires_at = cleaned.get("expires_at")
        if self.instance.pk is None and expires_at is not None and expires_at <= clock.now():
            raise ValidationError({"expires_at": _("It would have expired already.")})
        return cleaned


class RotateForm(Dressed, forms.Form):
    """How long the service has to take over the new key."""

    overlap = forms.ChoiceField(
        label=_("The former key works"),
        choices=[("24", _("for a day")), ("168", _("for a week")), ("1", _("for an hour")), ("0", _("no more"))],
        help_text=_("Until then both work; a key that leaked should work no more."),
    )


@admin.register(ApiKey)
class ApiKeyAdmin(CarefulAdmin):
    """The keys. None is deleted: what it published points at it."""

    form = ApiKeyForm
    list_display = [
        "name", "prefix", "may", "may_publish", "may_read", at("created_at"), at("expires_at"), at("revoked_at"),
        at("last_used_at"),
    ]  # fmt: skip
    list_filter = ["may_publish", "may_read"]
    search_fields = ["name", "prefix"]
    actions = ["revoke"]
    change_form_template = "admin/notifications/apikey/change_form.html"

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """Return the fields; never the hash."""
        fields = (None, {"fields": self.form.Meta.fields})
        shown = ["prefix", "created_at", "created_by", "revoked_at", "last_used_at"]
        return [fields] if obj is None else [fields, (_("State"), {"fields": shown})]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        """Return what the service alone writes."""
        return ["prefix", "created_at", "created_by", "revoked_at", "last_used_at"]

    def get_urls(self) -> list[URLPattern]:
        """Return the address of the page that rotates a key, too."""
        view = self.admin_site.admin_view(self.rotate_view)
        return [path("<path:object_id>/rotate/", view, name="notifications_apikey_rotate"), *super().get_urls()]

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how long the former key is to work; POST makes the new one, and shows it once."""
        key = self.get_object(request, object_id)
        if not isinstance(key, ApiKey):
            raise Http404
        if not (self.has_change_permission(request, key) and self.has_add_permission(request)):
            raise PermissionDenied
        form = RotateForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                return self._rotate(request, key, form.cleaned_data["overlap"])
            except WrongApiKey as e:
                form.add_error(None, str(e))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": key, "form": form,
            "title": _("Rotate %(key)s") % {"key": key},
        }  # fmt: skip
        return TemplateResponse(request, "admin/notifications/apikey/rotate.html", context)

    def _rotate(self, request: HttpRequest, key: ApiKey, hours: str) -> HttpResponse:
        by, now = staff_member(request), clock.now()
        issued = api_keys.rotate(key, now=now, overlap=timedelta(hours=int(hours)), by=by)
        key.refresh_from_db()
        ends = key.revoked_at or key.expires_at
        journal.record(by, key, gettext("Rotated."), changes={"prefix": (key.prefix, issued.key.prefix)})
        journal.record(by, issued.key, gettext("Made by rotating %(prefix)s.") % {"prefix": key.prefix}, changes=None)
        issued.key.issued_text = issued.text  # type: ignore[attr-defined]
        return self._shown(request, issued.key, former=key, ends=ends)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Nobody deletes a key; it is revoked."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Make the key, or change what it may do."""
        if change:
            obj.save(update_fields=form.Meta.fields)
            return
        given = {name: form.cleaned_data[name] for name in form.Meta.fields}
        issued = api_keys.issue(**given, by=staff_member(request), now=clock.now())
        obj.__dict__.update(issued.key.__dict__)
        # For `response_add`, which gets nothing but the object.
        obj.issued_text = issued.text

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key, on a page of its own: a message would be kept in a cookie until it is read."""
        return self._shown(request, obj)

    def _shown(self, request: HttpRequest, obj: Any, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": _("New API key"),
            "text": obj.issued_text,
            **more,
        }
        return TemplateResponse(request, "admin/notifications/apikey/issued.html", context)

    @admin.action(description=_("Revoke, for good"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Take keys back."""
        revoked = list(queryset.filter(revoked_at__isnull=True))
        number = api_keys.revoke(queryset, now=clock.now())
        for key in revoked:
            journal.record(staff_member(request), key, gettext("Revoked."), changes=None)
        messages.success(request, ngettext("%d API key revoked.", "%d API keys revoked.", number) % number)

    @admin.display(description=_("templates"))
    def may(self, obj: ApiKey) -> str:
        """Return the codes of what it may publish."""
        return ", ".join(obj.templates) or "-"
