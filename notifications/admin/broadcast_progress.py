"""A broadcast under way: how far it is, live, and the buttons that hold it, let it go on, and call it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from notifications import clock
from notifications.admin.base import staff_member
from notifications.models import Broadcast
from notifications.services import broadcast_controls, broadcasts
from notifications.types import Channel, PauseScope

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.urls import URLPattern

STANDINGS = {
    "scheduled": gettext_lazy("scheduled"),
    "sending": gettext_lazy("sending"),
    "paused": gettext_lazy("paused"),
    "canary": gettext_lazy("waiting after the first few"),
    "cancelled": gettext_lazy("cancelled"),
    "complete": gettext_lazy("complete"),
    "expired": gettext_lazy("expired"),
    "failed": gettext_lazy("failed"),
}
_CONTROLS = {
    "pause": (broadcast_controls.pause, gettext_lazy("The broadcast is paused.")),
    "resume": (broadcast_controls.resume, gettext_lazy("The broadcast goes on.")),
    "go_on": (broadcast_controls.go_on, gettext_lazy("The rest is told now.")),
    "again": (broadcast_controls.try_again, gettext_lazy("It is tried again from where it stopped.")),
    "cancel": (broadcast_controls.cancel, gettext_lazy("The broadcast is cancelled: what waits is not sent.")),
}


def urls(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """Return the page of a broadcast under way, and where its buttons lead."""

    def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
        if not request.user.has_perm("notifications.view_broadcast") and not _may_send(request):
            raise PermissionDenied
        return _progress(owner, request, pk)

    def control(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
        if not _may_send(request):
            raise PermissionDenied
        return _control(request, pk, name)

    view = owner.admin_site.admin_view
    return [
        path("<uuid:pk>/progress/", require_safe(view(progress)), name="notifications_broadcast_progress"),
        path("<uuid:pk>/control/<slug:name>/", require_POST(view(control)), name="notifications_broadcast_control"),
    ]


def _progress(owner: ModelAdmin[Any], request: HttpRequest, pk: UUID) -> HttpResponse:
    rows, now = Broadcast.objects.select_related("started_by", "template"), clock.now()
    broadcast = get_object_or_404(rows, pk=pk)
    standing = broadcast_controls.standing(broadcast, now=now)
    left = broadcasts.left(broadcast)
    holds = broadcast_controls.holds(broadcast, now=now)
    context = {
        **owner.admin_site.each_context(request),
        "opts": owner.opts,
        "title": _("Broadcast %(template)s") % {"template": broadcast.template_id},
        "broadcast": broadcast,
        "standing": standing,
        "standing_text": STANDINGS[standing],
        "percent": round(broadcasts.fraction(broadcast) * 100),
        "expected": broadcasts.expected_deliveries(broadcast),
        "minutes_left": None if left is None else max(1, round(left.total_seconds() / 60)),
        "holds": holds,
        "holds_above": [PauseScope(scope).label for scope in holds.above],
        "channels_held": [Channel(name).label for name in holds.channels],
        # Its last messages come to their end after it is cancelled.
        "is_over": broadcast.completed_at is not None,
        "may_steer": _may_send(request) and broadcast.completed_at is None and broadcast.cancelled_at is None,
    }
    return TemplateResponse(request, "admin/notifications/broadcast/progress.html", context)


def _control(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
    if name not in _CONTROLS:
        raise Http404
    act, done = _CONTROLS[name]
    if act(get_object_or_404(Broadcast, pk=pk), by=staff_member(request), now=clock.now()):
        messages.success(request, done)
    else:
        messages.info(request, _("Nothing was left to change: look where it is now."))
    return redirect("admin:notifications_broadcast_progress", pk=pk)


def _may_send(request: HttpRequest) -> bool:
    return request.user.has_perm("notifications.send_broadcast")
