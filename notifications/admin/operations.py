"""What operators look at: the workers."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin import dashboard
from notifications.admin.base import LogAdmin
from notifications.models import WorkerHeartbeat
from notifications.services import health


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
