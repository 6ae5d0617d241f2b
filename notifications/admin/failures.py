"""Failures by cause, and sending all of one cause round again: counted first, done after a confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications import clock
from notifications.admin import figures, paging
from notifications.admin.base import staff_member
from notifications.admin.cells import page_of
from notifications.models import Broadcast, Delivery, Event
from notifications.services import failed, failure_groups, journal, monitor, redrive
from notifications.services.failed import Obstacle, Stage
from notifications.services.failure_groups import FailureGroup, Fingerprint
from notifications.types import Channel, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.admin import AdminSite
    from django_stubs_ext import StrOrPromise

    from notifications.services.redrive import Group

SEE, REDRIVE = "notifications.view_dashboard", "notifications.redrive_delivery"
#: Rows of one click: it is done while somebody waits for the page.
AT_ONCE = 5000
_MODELS: dict[Stage, type[Broadcast | Event | Delivery]] = {
    Stage.BROADCAST: Broadcast,
    Stage.EVENT: Event,
    Stage.DELIVERY: Delivery,
}


class FingerprintForm(forms.Form):
    """A fingerprint in an address."""

    stage = forms.ChoiceField(choices=Stage.choices)
    channel = forms.ChoiceField(choices=[("", ""), *Channel.choices], required=False)
    reason = forms.ChoiceField(choices=[("", ""), *Reason.choices], required=False)
    backend = forms.CharField(required=False, strip=False)
    code = forms.CharField(required=False, strip=False)

    def fingerprint(self) -> Fingerprint:
        """Return it, once it is valid."""
        given = self.cleaned_data
        return Fingerprint(**{**given, "stage": Stage(given["stage"])})


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the addresses, below those of operations."""

    def show(request: HttpRequest) -> HttpResponse:
        return groups_view(request, site)

    def again(request: HttpRequest) -> HttpResponse:
        return redrive_view(request, site)

    return [
        path("failures/", site.admin_view(show), name="notifications_failures"),
        path("failures/again/", site.admin_view(again), name="notifications_failures_again"),
    ]


def groups_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show what failed in the last week, a line for each cause."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    try:
        with paging.limited_time():
            found = failure_groups.groups(now=clock.now())
    except paging.TookTooLong:
        messages.warning(request, _("The database is too busy to say; try again in a minute."))
        return HttpResponseRedirect(reverse("admin:index"))
    context = {
        **site.each_context(request),
        "title": _("Failures by cause"),
        "tab": "failures",
        "groups": [_row(group, request) for group in found],
        "is_complete": failure_groups.is_complete(found),
        "most": figures.number(failure_groups.NEWEST),
        "may_redrive": request.user.has_perm(REDRIVE),
    }
    return TemplateResponse(request, "admin/notifications/pause/failures.html", context)


def redrive_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Say how many of a cause would go round again; do it when that is confirmed."""
    if not request.user.has_perm(REDRIVE):
        raise PermissionDenied
    form = FingerprintForm(request.POST or request.GET)
    if not form.is_valid():
        messages.warning(request, _("The address names no failures. Choose a line below."))
        return HttpResponseRedirect(reverse("admin:notifications_failures"))
    fingerprint = form.fingerprint()
    if request.method == "POST":
        return _redrive(request, fingerprint, include_unknown=request.POST.get("include_unknown") == "1")
    now = clock.now()
    try:
        with paging.limited_time():
            counted = redrive.count(fingerprint.selection(since=now - failure_groups.LATELY), now=now)
    except paging.TookTooLong:
        messages.warning(request, _("There are too many to count now: use manage.py redrive_notifications."))
        return HttpResponseRedirect(reverse("admin:notifications_failures"))
    ready, left = _told_apart(counted)
    context = {
        **site.each_context(request),
        "title": _("Send round again"),
        "fingerprint": fingerprint,
        "given": form.cleaned_data.items(),
        "what": words_of(fingerprint),
        "ready": ready,
        "ready_words": figures.number(ready),
        "is_too_many": ready > AT_ONCE,
        "most": figures.number(AT_ONCE),
        "left": [(obstacle.label, figures.number(number)) for obstacle, number in left if number],
        "unknown": next((number for obstacle, number in left if obstacle is Obstacle.UNKNOWN), 0),
    }
    return TemplateResponse(request, "admin/notifications/pause/again.html", context)


def words_of(fingerprint: Fingerprint) -> list[tuple[StrOrPromise, StrOrPromise]]:
    """Return what the failures have in common, in words."""
    reason = Reason(fingerprint.reason).label if fingerprint.reason else _("nobody knows whether it was sent")
    said: list[tuple[StrOrPromise, StrOrPromise]] = [(_("What"), fingerprint.stage.label), (_("Reason"), reason)]
    if fingerprint.channel:
        said.insert(1, (_("Channel"), Channel(fingerprint.channel).label))
    if fingerprint.backend:
        said.append((_("Backend"), fingerprint.backend))
    if fingerprint.code:
        said.append((_("Code"), fingerprint.code))
    return said


def _redrive(request: HttpRequest, fingerprint: Fingerprint, *, include_unknown: bool) -> HttpResponse:
    now = clock.now()
    selection = fingerprint.selection(since=now - failure_groups.LATELY, include_unknown=include_unknown)
    sample = _newest(fingerprint.stage, selection, now)
    done = redrive.redrive(selection, now=now, limit=AT_ONCE)
    number = done.broadcasts + done.events + done.deliveries
    if number and sample is not None:
        alike = ", ".join(str(value) for value in (fingerprint.channel, fingerprint.reason, fingerprint.code) if value)
        journal.record(staff_member(request), sample, f"Sent round again all that failed alike ({alike}): {number}.")
    monitor.forget()
    if number:
        said = ngettext("%(number)s is sent round again.", "%(number)s are sent round again.", number)
        messages.success(request, said % {"number": figures.number(number)})
    else:
        messages.info(request, _("Nothing is left that can be sent round again."))
    return HttpResponseRedirect(reverse("admin:notifications_failures"))


def _newest(stage: Stage, selection: failed.Selection, now: Any) -> Broadcast | Event | Delivery | None:
    """Return the newest row that is meant: the change is written down with it."""
    find = {Stage.BROADCAST: failed.broadcasts, Stage.EVENT: failed.events, Stage.DELIVERY: failed.deliveries}[stage]
    row: Broadcast | Event | Delivery | None = find(selection, now).order_by("-finished_at").first()
    return row


def _told_apart(counted: Iterable[Group]) -> tuple[int, list[tuple[Obstacle, int]]]:
    """Return how many go, and how many stay for which reason."""
    groups = list(counted)
    ready = sum(group.number for group in groups if group.obstacle is None)
    left = {obstacle: sum(group.number for group in groups if group.obstacle == obstacle) for obstacle in Obstacle}
    return ready, sorted(left.items(), key=lambda pair: -pair[1])


def _row(group: FailureGroup, request: HttpRequest) -> dict[str, Any]:
    alike = group.fingerprint
    model = _MODELS[alike.stage]
    may_look = request.user.has_perm(f"notifications.view_{model._meta.model_name}")
    query = {"stage": alike.stage.value, "channel": alike.channel, "reason": alike.reason}
    query |= {"backend": alike.backend, "code": alike.code}
    templates = sorted(group.templates)
    return {
        "group": group,
        "channel": Channel(alike.channel).label if alike.channel else alike.stage.label,
        "reason": Reason(alike.reason).label if alike.reason else _("nobody knows whether it was sent"),
        "is_dead": alike.stage != Stage.DELIVERY or not alike.reason or alike.reason == Reason.WORKER_CRASHED,
        "number": figures.number(group.number),
        "templates": templates[:3],
        "more": len(templates[3:]),
        "sample": page_of(model, group.sample) if may_look else "",
        "again": f"{reverse('admin:notifications_failures_again')}?{urlencode(query)}",
    }
