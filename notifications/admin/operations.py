"""What operators look at: broadcasts and how far they are, and the workers."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin import dashboard
from notifications.admin.base import LogAdmin, as_uuid
from notifications.admin.cells import link_to_list
from notifications.admin.log import states
from notifications.models import Broadcast, Event, WorkerHeartbeat
from notifications.services import health


@admin.register(Broadcast)
class BroadcastAdmin(LogAdmin):
    """A publication for many: its events hold the work."""

    list_display = [
        "created_at", "template_code", "audience", "state", "recipient_count", "sent_count", "failed_count",
        "skipped_count", "completed_at",
    ]  # fmt: skip
    list_filter = ["state", "template"]
    search_help_text = _("The whole of an id.")
    fieldsets = [
        (None, {"fields": ["id", "template", "audience", "state", "last_error", "priority", "about", "events"]}),
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

    def found_by(self, term: str) -> Q:
        """Return the broadcast with this id."""
        return Q(pk=as_uuid(term))

    @admin.display(description=_("events"))
    def events(self, obj: Broadcast) -> SafeString:
        """Return a link to them, with how they stand."""
        return link_to_list(Event, states(Event.objects.filter(broadcast=obj)), broadcast__exact=obj.pk)


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(LogAdmin):
    """The workers, and which of them are alive."""

    list_display = ["host", "process", "alive", "fault", "seen_at", "started_at", "threads"]
    fields = ["host", "process", "alive", "fault", "seen_at", "started_at", "threads", "queues"]
    search_help_text = _("The name of a host.")

    def found_by(self, term: str) -> Q:
        """Return the workers of this host."""
        return Q(host__icontains=term)

    def get_urls(self) -> list[URLPattern]:
        """Add what the dashboard fetches again."""
        return [*dashboard.urls(), *super().get_urls()]

    @admin.display(description=_("alive"), boolean=True)
    def alive(self, obj: WorkerHeartbeat) -> bool:
        """Tell whether it was heard of lately, and has all its threads."""
        return not obj.fault and obj.seen_at > clock.now() - health.ALIVE_FOR
