"""The people told: who they are in lists, and the pages about one of them, where they are helped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications.admin import person, personal_data, why
from notifications.admin.base import CarefulAdmin, LogAdmin, recipients_named
from notifications.admin.cells import link, masked
from notifications.admin_theme import UserForms
from notifications.models import ConsentChange, Erasure, Mute, Preference, RecipientSettings

_WHOSE = _("The whole of a user name or e-mail address.")


class PersonalAdmin(LogAdmin):
    """Rows that say what people want. Changed on the page of the person, which asks for a note."""

    list_select_related = ["recipient"]
    linked_by = ("recipient",)
    search_help_text = _WHOSE
    ordering = ["-pk"]

    def found_by(self, term: str) -> Q:
        """Return the rows of this person."""
        return Q(recipient__in=recipients_named(term))

    @admin.display(description=_("person"))
    def person(self, obj: Any) -> SafeString:
        """Return a link to the page where this can be changed."""
        return link(person.address(obj.recipient), obj.recipient)


@admin.register(RecipientSettings)
class RecipientSettingsAdmin(PersonalAdmin):
    """How to reach people beyond their e-mail address; and the pages about a person."""

    list_display = ["recipient", "masked_phone", "locale", "time_zone", "person"]
    fields = ["person", "masked_phone", "locale", "time_zone", "quiet_hours"]

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages, too."""
        pages: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("why/", why.why, "why"),
            ("people/", person.find, "people"),
            ("people/<str:pk>/", person.person, "person"),
            ("people/<str:pk>/export/", personal_data.export, "export"),
            ("people/<str:pk>/erase/", personal_data.erase, "erase"),
        ]
        ours = [
            path(where, self.admin_site.admin_view(view), name=f"notifications_{name}") for where, view, name in pages
        ]
        return [*ours, *super().get_urls()]

    @admin.display(description=_("phone"))
    def masked_phone(self, obj: RecipientSettings) -> str:
        """Return the phone for a list, which others may see over the shoulder."""
        return masked(obj.phone) or "-"


@admin.register(Preference)
class PreferenceAdmin(PersonalAdmin):
    """What people want to hear, by which channel."""

    list_display = ["recipient", "category", "template_code", "channel", "cadence", "person"]
    list_filter = ["channel", "cadence", "category", "template"]
    list_select_related = ["recipient", "category"]
    fields = ["person", "category", "template", "channel", "cadence"]


@admin.register(Mute)
class MuteAdmin(PersonalAdmin):
    """What people want to hear nothing more of."""

    list_display = ["created_at", "recipient", "about", "until", "person"]
    fields = ["person", "about", "created_at", "until"]


@admin.register(ConsentChange)
class ConsentChangeAdmin(PersonalAdmin):
    """Who asked for what, where and when; and the note of staff who did it for them."""

    list_display = [
        "changed_at", "recipient", "subject", "channel", "before", "after", "source", "changed_by", "note",
        "person",
    ]  # fmt: skip
    list_filter = ["source", "channel"]
    list_select_related = ["recipient", "changed_by"]
    fields = ["person", "subject", "channel", "before", "after", "source", "changed_by", "changed_at", "note"]
    search_help_text = _("The whole of a user name or e-mail address, or the subject, such as category:orders.")

    def found_by(self, term: str) -> Q:
        """Return the changes of this person, or of this subject."""
        return super().found_by(term) | Q(subject=term)


@admin.register(Erasure)
class ErasureAdmin(LogAdmin):
    """Whose data were erased, upon what, and how far that is."""

    list_display = ["requested_at", "recipient_key", "requested_by", "step", "finished_at"]
    list_select_related = ["requested_by"]
    fields = ["recipient_key", "requested_at", "requested_by", "note", "step", "counts", "finished_at"]
    search_help_text = _("The primary key of a user.")

    def found_by(self, term: str) -> Q:
        """Return the erasures of this user."""
        return Q(recipient_key=term)


# Importing the stock admin has registered it: ours replaces it.
admin.site.unregister(User)


@admin.register(User)
class UserAdmin(UserForms, StockUserAdmin, CarefulAdmin):  # type: ignore[type-arg]
    """Django's own, with the way to what the user is told."""

    change_form_template = "admin/notifications/people/user.html"
    # Its box of two lists has no names for screen readers.
    filter_horizontal = ()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Show the form, with a link for who may follow it."""
        shown = {"may_see_person": request.user.has_perm(person.VIEW)}
        kwargs["extra_context"] = {**(kwargs.get("extra_context") or {}), **shown}
        return super().change_view(request, object_id, *args, **kwargs)
