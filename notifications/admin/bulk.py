"""Send round again, or call back, all deliveries that the log is asked for: counted first, and confirmed by a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from notifications import clock
from notifications.admin import paging
from notifications.admin.base import staff_member
from notifications.admin.filters import DeliveryForm
from notifications.models import Delivery
from notifications.services import cancelling, failed, journal, redrive
from notifications.services.failed import Selection
from notifications.types import Channel, Reason

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

    from notifications.services.logs import Asked

#: Rows of one confirmation: what is done while the page waits.
MOST = 10_000
PERMISSIONS = {"retry": "notifications.redrive_delivery", "cancel": "notifications.cancel_delivery"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How many have something in common; `obstacle`: why they are left alone."""

    number: int
    channel: str
    about: str
    obstacle: str = ""


def urls(site: AdminSite) -> list[Any]:
    """Return the page's."""
    return [
        path(f"bulk/{verb}/", site.admin_view(bulk_view), {"verb": verb}, name=f"notifications_delivery_bulk_{verb}")
        for verb in PERMISSIONS
    ]


def bulk_view(request: HttpRequest, verb: str) -> HttpResponse:
    """Show what would be done to whom, or do it."""
    if not request.user.has_perm(PERMISSIONS[verb]) or not request.user.has_perm("notifications.view_delivery"):
        raise PermissionDenied
    form = DeliveryForm(request.GET)
    back = reverse("admin:notifications_delivery_changelist")
    if not form.is_valid():
        messages.warning(request, _("The address asked for something this list does not know. Here is all of it."))
        return HttpResponseRedirect(back)
    back += f"?{urlencode(form.active())}"
    try:
        with paging.limited_time():
            lines = _lines(verb, form.asked(), include_unknown="include_unknown" in request.GET)
    except paging.TookTooLong:
        messages.warning(request, _("They are too many to be counted. Narrow the list: by a time, or a channel."))
        return HttpResponseRedirect(back)
    ready = min(sum(line.number for line in lines if not line.obstacle), MOST)
    if request.method == "POST" and ready:
        return _confirmed(request, verb, form, ready, back)
    context = _context(request, verb, form, lines, ready, back)
    return TemplateResponse(request, "admin/notifications/logs/bulk.html", context)


def _confirmed(request: HttpRequest, verb: str, form: DeliveryForm, ready: int, back: str) -> HttpResponse:
    """Do it, if the number that was typed is the one that was shown, or is still not more than there are."""
    shown, typed = request.POST.get("shown", ""), request.POST.get("typed", "").strip()
    if typed != shown or not typed.isdecimal() or not 0 < int(typed) <= MOST:
        messages.error(request, _("Nothing was changed: type the number of deliveries to confirm."))
        return HttpResponseRedirect(request.get_full_path())
    example = _example(verb, form.asked(), include_unknown="include_unknown" in request.GET)
    number = _do(verb, form.asked(), limit=int(typed), include_unknown="include_unknown" in request.GET)
    if number and example is not None:
        did = "Sent round again" if verb == "retry" else "Called back"
        journal.record(staff_member(request), example, f"{did} with it: {number} in all ({form.query() or 'all'}).")
    done = _("Sent round again: %(number)s") if verb == "retry" else _("Called back: %(number)s")
    messages.success(request, done % {"number": number})
    return HttpResponseRedirect(back)


def _example(verb: str, asked: Asked, *, include_unknown: bool) -> Delivery | None:
    """Return one of those that are meant: the record of what was done is kept with it."""
    if verb == "cancel":
        return cancelling.waiting(asked).order_by("pk").first()
    selection = Selection(log=asked, include_unknown=include_unknown)
    found = failed.deliveries(selection, clock.now()).filter(obstacle="")
    # In the order of their index: by the primary key, the planner may walk through all that was ever sent.
    example: Delivery | None = found.order_by("finished_at", "pk").first()
    return example


def _do(verb: str, asked: Asked, *, limit: int, include_unknown: bool) -> int:
    now = clock.now()
    if verb == "cancel":
        return cancelling.cancel(asked, now=now, limit=limit)
    selection = Selection(log=asked, include_unknown=include_unknown)
    return redrive.redrive(selection, now=now, limit=limit).deliveries


def _lines(verb: str, asked: Asked, *, include_unknown: bool) -> list[Line]:
    if verb == "cancel":
        return [
            Line(number=group.number, channel=_channel(group.channel), about=group.template)
            for group in cancelling.count(asked)
        ]
    groups = redrive.count(Selection(log=asked, include_unknown=include_unknown), now=clock.now())
    return [
        Line(
            number=group.number,
            channel=_channel(group.channel),
            about=str(Reason(group.reason).label) if group.reason else "",
            obstacle=str(group.obstacle.label) if group.obstacle else "",
        )
        for group in groups
    ]


def _channel(name: str) -> str:
    return str(Channel(name).label)


def _context(
    request: HttpRequest, verb: str, form: DeliveryForm, lines: list[Line], ready: int, back: str
) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "title": _("Send round again") if verb == "retry" else _("Call back"),
        "verb": verb,
        "form": form,
        "asked": _asked(form),
        "ready_lines": [line for line in lines if not line.obstacle],
        "left_lines": [line for line in lines if line.obstacle],
        "ready": ready,
        "is_more": sum(line.number for line in lines if not line.obstacle) > MOST,
        "most": MOST,
        "back": back,
        "include_unknown": "include_unknown" in request.GET,
    }


def _asked(form: DeliveryForm) -> list[tuple[str, str]]:
    """Return what is asked for, in words."""
    found = []
    for name, text in form.active().items():
        choices = dict(getattr(form.fields[name], "choices", ()))
        found.append((str(form.fields[name].label), str(choices.get(text, text))))
    return found
