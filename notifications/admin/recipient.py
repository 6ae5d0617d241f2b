"""The people told: how to reach them, and what they want to hear."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from notifications.admin.base import BigTableAdmin, CarefulAdmin
from notifications.admin.contents import clean_language_tag
from notifications.models import Category, Preference, RecipientSettings
from notifications.registry import did_you_mean
from notifications.types import Cadence


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Phone, language and time zone, each in the one form the system reads."""

    class Meta:
        model = RecipientSettings
        fields = ["recipient", "phone", "locale", "time_zone"]
        labels = {"locale": _("Language")}
        help_texts = {
            "phone": _("International form: +4930123456."),
            "locale": _("Language tag such as de or de-AT; empty: the site's language."),
            "time_zone": _("Such as Europe/Berlin; empty: the site's."),
        }

    def clean_locale(self) -> str:
        """Return the language tag."""
        return clean_language_tag(self.cleaned_data["locale"])

    def clean_time_zone(self) -> str:
        """Return the name of a time zone there is."""
        name: str = self.cleaned_data["time_zone"]
        if name and name not in available_timezones():
            hint = did_you_mean(name, available_timezones())
            raise ValidationError(_("No time zone %(name)r%(hint)s.") % {"name": name, "hint": hint})
        return name


@admin.register(RecipientSettings)
class RecipientSettingsAdmin(BigTableAdmin):
    """How to reach people beyond their e-mail address."""

    form = SettingsForm
    list_display = ["recipient", "phone", "locale", "time_zone"]
    list_select_related = ["recipient"]
    search_fields = ["^recipient__username", "^recipient__email"]
    search_help_text = _("The beginning of a user name or e-mail address.")
    autocomplete_fields = ["recipient"]
    ordering = ["-pk"]

    def get_readonly_fields(self, request: HttpRequest, obj: RecipientSettings | None = None) -> list[str]:
        """Keep whose they are: it is the key of the row."""
        return ["recipient"] if obj else []


class PreferenceForm(forms.ModelForm):  # type: ignore[type-arg]
    """One wish; a wish that would change nothing is refused."""

    class Meta:
        model = Preference
        fields = ["recipient", "category", "template", "channel", "cadence"]

    def clean(self) -> dict[str, Any] | None:
        """Refuse to switch off what people must hear."""
        data = super().clean() or self.cleaned_data
        template = data.get("template")
        category: Category | None = data.get("category") or (template.category if template else None)
        if category is not None and category.required and data.get("cadence") == Cadence.OFF:
            self.add_error("cadence", _("The category %(name)s is required: nobody can switch it off.") % {
                "name": category.name
            })  # fmt: skip
        return data


@admin.register(Preference)
class PreferenceAdmin(BigTableAdmin):
    """What people want to hear, by which channel."""

    form = PreferenceForm
    list_display = ["recipient", "category", "template_code", "channel", "cadence"]
    list_display_links = ["recipient", "cadence"]
    list_filter = ["channel", "cadence", "category", "template"]
    list_select_related = ["recipient", "category"]
    search_fields = ["^recipient__username", "^recipient__email"]
    search_help_text = _("The beginning of a user name or e-mail address.")
    autocomplete_fields = ["recipient", "category", "template"]
    ordering = ["-pk"]

    @admin.display(description=_("template"))
    def template_code(self, obj: Preference) -> str | None:
        """Return the code: no other row is read for it."""
        return obj.template_id


class SettingsInline(admin.StackedInline):  # type: ignore[type-arg]
    """How to reach a user, on the user's own page."""

    model = RecipientSettings
    form = SettingsForm
    verbose_name_plural = _("notifications")
    can_delete = False


# Importing the stock admin has registered it: ours replaces it.
admin.site.unregister(User)


@admin.register(User)
class UserAdmin(CarefulAdmin, StockUserAdmin):  # type: ignore[type-arg]
    """Django's own, with how to reach the user."""

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[type[InlineModelAdmin[Any, Any]]]:
        """Return the settings, once there is a user to have them."""
        return [SettingsInline] if obj else []
