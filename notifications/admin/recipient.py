"""The people told: how to reach them, what they want to hear, and every change of that."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin.base import BigTableAdmin, CarefulAdmin, LogAdmin, recipients_named, short_json
from notifications.admin.contents import clean_language_tag
from notifications.admin_theme import Dressed, StackedInline, UserForms
from notifications.models import Category, ConsentChange, Preference, RecipientSettings
from notifications.pipeline.quiet_hours import QuietHours
from notifications.registry import did_you_mean
from notifications.services import personal, preferences
from notifications.services.consent import Origin
from notifications.types import Cadence, ConsentSource


class SettingsForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]
    """Phone, language, time zone and quiet hours, each in the one form the system reads."""

    #: What goes through the service, which keeps its history.
    CONSENT = {
        "time_zone": personal.set_time_zone,
        "quiet_hours": personal.set_quiet_hours,
    }

    class Meta:
        model = RecipientSettings
        fields = ["recipient", "phone", "locale", "time_zone", "quiet_hours"]
        widgets = {"quiet_hours": short_json()}
        labels = {"locale": _("Language")}
        help_texts = {
            "phone": _("International form: +4930123456."),
            "locale": _("Language tag such as de or de-AT; empty: the site's language."),
            "time_zone": _("Such as Europe/Berlin; empty: the site's."),
            "quiet_hours": _('Such as {"daily": ["22:00-07:00"], "sat": ["00:00-10:00"]}; {}: none.'),
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

    def clean_quiet_hours(self) -> dict[str, Any]:
        """Return quiet hours the system can read."""
        hours = self.cleaned_data["quiet_hours"]
        try:
            return QuietHours.from_json(hours).to_json() if hours else {}
        except ValueError as e:
            raise ValidationError(str(e)) from e

    def save(self, commit: bool = True) -> RecipientSettings:
        """Leave what the service writes as it was."""
        for name in self.CONSENT:
            setattr(self.instance, name, self.initial.get(name) or self.instance._meta.get_field(name).get_default())
        settings: RecipientSettings = super().save(commit)
        return settings

    def write_consent(self, by: Any) -> None:
        """Write the rest by the service, which notes who did it."""
        origin = Origin(source=ConsentSource.ADMIN, by=by)
        for name, write in self.CONSENT.items():
            if name in self.cleaned_data:
                write(self.instance.recipient, self.cleaned_data[name], now=clock.now(), origin=origin)


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

    def save_model(self, request: HttpRequest, obj: RecipientSettings, form: SettingsForm, change: bool) -> None:
        """Note in the history who changed what."""
        super().save_model(request, obj, form, change)
        form.write_consent(request.user)


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

    def get_readonly_fields(self, request: HttpRequest, obj: Preference | None = None) -> list[str]:
        """Keep whose wish it is, and for what: another one is another row."""
        return ["recipient", "category", "template", "channel"] if obj else []

    def save_model(self, request: HttpRequest, obj: Preference, form: Any, change: bool) -> None:
        """Write by the service, which notes who did it."""
        self._write(request, obj, obj.cadence)
        obj.pk = Preference.objects.values_list("pk", flat=True).get(
            recipient=obj.recipient_id, category=obj.category_id, template=obj.template_id, channel=obj.channel
        )

    def delete_model(self, request: HttpRequest, obj: Preference) -> None:
        """Take the wish back by the service."""
        self._write(request, obj, None)

    def _write(self, request: HttpRequest, row: Preference, cadence: str | None) -> None:
        preferences.set_cadence(
            row.recipient,
            channel=row.channel,
            cadence=cadence,
            category=row.category_id or "",
            template=row.template_id or "",
            now=clock.now(),
            origin=Origin(source=ConsentSource.ADMIN, by=request.user),
        )


@admin.register(ConsentChange)
class ConsentChangeAdmin(LogAdmin):
    """Who asked for what, where and when."""

    list_display = ["changed_at", "recipient", "subject", "channel", "before", "after", "source", "changed_by"]
    list_filter = ["source", "channel"]
    list_select_related = ["recipient", "changed_by"]
    fields = ["recipient", "subject", "channel", "before", "after", "source", "changed_by", "changed_at"]
    search_help_text = _("The whole of a user name or e-mail address, or the subject, such as category:orders.")

    def found_by(self, term: str) -> Q:
        """Return the changes of this person, or of this subject."""
        return Q(recipient__in=recipients_named(term)) | Q(subject=term)


class SettingsInline(StackedInline):  # type: ignore[type-arg]
    """How to reach a user, on the user's own page."""

    model = RecipientSettings
    form = SettingsForm
    verbose_name_plural = _("notifications")
    can_delete = False


# Importing the stock admin has registered it: ours replaces it.
admin.site.unregister(User)


@admin.register(User)
class UserAdmin(UserForms, StockUserAdmin, CarefulAdmin):  # type: ignore[type-arg]
    """Django's own, with how to reach the user."""

    # Its box of two lists has no names for screen readers.
    filter_horizontal = ()

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[type[InlineModelAdmin[Any, Any]]]:
        """Return the settings, once there is a user to have them."""
        return [SettingsInline] if obj else []

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Note in the history who changed what."""
        super().save_formset(request, form, formset, change)
        for one in formset.forms:
            if isinstance(one, SettingsForm) and one.has_changed():
                one.write_consent(request.user)
