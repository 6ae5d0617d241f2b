"""Broadcasts: the list, and one of them in full. The pages that make and steer them are in rooms of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin import broadcast_progress, broadcast_wizard
from notifications.admin.base import LogAdmin, as_uuid
from notifications.admin.cells import link_to_list
from notifications.admin.log import states
from notifications.models import Broadcast, Delivery, Event
from notifications.services import broadcast_controls, broadcasts


@admin.register(Broadcast)
class BroadcastAdmin(LogAdmin):
    """A publication for many: its events hold the work."""

    list_display = [
        "created_at", "template_code", "audience", "progress", "recipient_count", "sent_count", "failed_count",
        "skipped_count", "started_by", "completed_at",
    ]  # fmt: skip
    list_select_related = ["started_by"]
    change_list_template = "admin/notifications/broadcast/change_list.html"
    list_filter = ["state", "template"]
    search_help_text = _("The whole of an id.")
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "id",
                    "template",
                    "audience",
                    "state",
                    "last_error",
                    "priority",
                    "about",
                    "started_by",
                    "canary_percent",
                    "canary_passed_at",
                    "events",
                    "deliveries",
                ]
            },
        ),
        (_("When"), {"fields": ["created_at", "due_at", "expires_at", "finished_at", "cancelled_at", "completed_at"]}),
        (
            _("Whom"),
            {
                "fields": [
                    "recipient_count",
                    "duplicate_count",
                    "expanded_count",
                    "told_count",
                    "unknown_count",
                    "inactive_count",
                ]
            },
        ),
        (
            _("How far"),
            {"fields": ["measured_at", "planned_count", "sent_count", "failed_count", "skipped_count", "rate"]},
        ),
    ]

    def get_urls(self) -> list[Any]:
        """Return the pages of the wizard and of the progress before Django's own."""
        return [*broadcast_wizard.urls(self), *broadcast_progress.urls(self), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with what may be begun from it."""
        may_send = request.user.has_perm("notifications.send_broadcast")
        return super().changelist_view(request, {**(extra_context or {}), "may_send": may_send})

    @admin.display(description=_("progress"))
    def progress(self, obj: Broadcast) -> SafeString:
        """Return where it is and how far, as a link to the page that shows it live."""
        url = reverse("admin:notifications_broadcast_progress", args=[obj.pk])
        standing = broadcast_progress.STANDINGS[broadcast_controls.standing(obj, now=clock.now())]
        return format_html('<a href="{}">{} {}</a>', url, standing, f"{broadcasts.fraction(obj):.0%}")

    def found_by(self, term: str) -> Q:
        """Return the broadcast with this id."""
        return Q(pk=as_uuid(term))

    @admin.display(description=_("events"))
    def events(self, obj: Broadcast) -> SafeString:
        """Return a link to them, with how they stand."""
        return link_to_list(Event, states(Event.objects.filter(broadcast=obj)), broadcast__exact=obj.pk)

    @admin.display(description=_("deliveries"))
    def deliveries(self, obj: Broadcast) -> SafeString:
        """Return a link to them; the progress has counted them."""
        return link_to_list(Delivery, obj.planned_count, broadcast__exact=obj.pk)
