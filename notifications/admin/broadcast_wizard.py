"""From a kind of message to a broadcast, step by step: what, to whom, how many, when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import clock
from notifications.admin.base import staff_member
from notifications.admin.broadcast_forms import AudienceForm, BeginForm, MessageForm, StartForm
from notifications.exceptions import NotificationError
from notifications.models import BroadcastDraft
from notifications.services import broadcast_counting, broadcast_drafts
from notifications.services.broadcast_drafts import NotReady
from notifications.types import Channel, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import ModelAdmin
    from django.forms import BaseForm
    from django.urls import URLPattern

PERMISSION = "notifications.send_broadcast"
_PLACE = "admin:notifications_broadcast_"
#: Drafts of one's own that are listed.
SHOWN = 10


def urls(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """Return the pages of the wizard."""

    def page(view: Callable[..., HttpResponse]) -> Any:
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(PERMISSION):
                raise PermissionDenied
            return view(owner, request, **kwargs)

        return owner.admin_site.admin_view(guarded)

    draft = "draft/<uuid:pk>/"
    return [
        path("compose/", page(_begin), name="notifications_broadcast_compose"),
        path(f"{draft}message/", page(_message), name="notifications_broadcast_message"),
        path(f"{draft}audience/", page(_audience), name="notifications_broadcast_audience"),
        path(f"{draft}review/", page(_review), name="notifications_broadcast_review"),
        path(f"{draft}count/", require_POST(page(_count)), name="notifications_broadcast_count"),
        path(f"{draft}recount/", require_POST(page(_recount)), name="notifications_broadcast_recount"),
        path(f"{draft}discard/", require_POST(page(_discard)), name="notifications_broadcast_discard"),
    ]


def _begin(owner: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    form = BeginForm(request.POST or None)
    if form.is_valid():
        template = form.cleaned_data["template"]
        draft = broadcast_drafts.begin(template, by=staff_member(request), now=clock.now())
        return redirect(f"{_PLACE}message", pk=draft.pk)
    mine = BroadcastDraft.objects.filter(created_by=staff_member(request), broadcast__isnull=True)
    return _page(owner, request, "begin", _("New broadcast"), form=form, drafts=mine.select_related("template")[:SHOWN])


def _message(owner: ModelAdmin[Any], request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = _draft(request, pk)
    if draft.broadcast_id is not None:
        return redirect(f"{_PLACE}progress", pk=draft.broadcast_id)
    form = MessageForm(draft, request.POST or None)
    if form.is_valid() and _saved(request, draft, form):
        goes_on = "next" in request.POST
        return redirect(f"{_PLACE}{'audience' if goes_on else 'message'}", pk=pk)
    labels = dict(Channel.choices)
    previews = [
        {"channel": labels[content.channel], "locale": content.locale, "rendered": rendered, "error": error}
        for content, rendered, error in broadcast_drafts.previews(draft)
    ]
    return _page(owner, request, "message", _("What is said"), draft=draft, form=form, previews=previews)


def _audience(owner: ModelAdmin[Any], request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = _draft(request, pk)
    if draft.broadcast_id is not None:
        return redirect(f"{_PLACE}progress", pk=draft.broadcast_id)
    form = AudienceForm(draft, request.POST or None, request.FILES or None)
    if form.is_valid() and _addressed(request, draft, form):
        return redirect(f"{_PLACE}review", pk=pk)
    return _page(owner, request, "audience", _("To whom"), draft=draft, form=form)


def _review(owner: ModelAdmin[Any], request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = _draft(request, pk)
    if draft.broadcast_id is not None:
        return redirect(f"{_PLACE}progress", pk=draft.broadcast_id)
    if not draft.audience and draft.recipients is None:
        return redirect(f"{_PLACE}audience", pk=pk)
    number = draft.tally.get("recipients", 0)
    form = StartForm(number, request.POST or None, initial={"revision": draft.revision})
    if form.is_valid():
        try:
            started = broadcast_drafts.start(pk, by=staff_member(request), now=clock.now(), **form.cleaned_data)
        except NotReady as e:
            form.add_error(e.field if e.field in form.fields else None, str(e))
            # Of what is shown now: the numbers above the form are those of this revision.
            form.data = {**request.POST.dict(), "revision": draft.revision}
        except NotificationError as e:
            form.add_error(None, str(e))
        else:
            return redirect(f"{_PLACE}progress", pk=started.pk)
    shown = {"tally": _tally(draft), "part": f"{broadcast_counting.fraction(draft):.0%}"}
    return _page(owner, request, "review", _("How many, and when"), draft=draft, form=form, **shown)


def _count(owner: ModelAdmin[Any], request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = _draft(request, pk)
    if draft.broadcast_id is None and (draft.audience or draft.recipients is not None):
        try:
            broadcast_counting.count_further(draft, now=clock.now())
        except NotificationError as e:
            messages.error(request, str(e))
    return redirect(f"{_PLACE}review", pk=pk)


def _recount(owner: ModelAdmin[Any], request: HttpRequest, pk: UUID) -> HttpResponse:
    broadcast_counting.begin_again(_draft(request, pk))
    return redirect(f"{_PLACE}review", pk=pk)


def _discard(owner: ModelAdmin[Any], request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = _draft(request, pk)
    if broadcast_drafts.discard(draft, by=staff_member(request)):
        messages.success(request, _("The draft is discarded."))
    return redirect(f"{_PLACE}compose")


def _draft(request: HttpRequest, pk: UUID) -> BroadcastDraft:
    """Return a draft of one's own; a superuser sees all of them."""
    drafts, user = BroadcastDraft.objects.select_related("template__category", "created_by"), staff_member(request)
    return get_object_or_404(drafts if user.is_superuser else drafts.filter(created_by=user), pk=pk)


def _saved(request: HttpRequest, draft: BroadcastDraft, form: MessageForm) -> bool:
    said = {"variables": form.said(), "priority": form.cleaned_data["priority"], "channels": form.chosen_channels()}
    try:
        broadcast_drafts.write(draft, **said, by=staff_member(request), now=clock.now())
    except NotificationError as e:
        form.add_error(None, str(e))
        return False
    return True


def _addressed(request: HttpRequest, draft: BroadcastDraft, form: AudienceForm) -> bool:
    """Keep to whom it goes; what of a list was not taken is said."""
    name, listed = form.cleaned_data["audience"], form.listed
    if not name and listed is None:
        # Nothing was given: the list of before stays.
        return True
    keys = None if listed is None else listed.keys
    try:
        broadcast_drafts.address(draft, audience=name, recipients=keys, by=staff_member(request))
    except NotificationError as e:
        form.add_error(None, str(e))
        return False
    if listed is not None and listed.duplicate_count:
        again = _("%(number)s entries named somebody again; nobody is told twice.")
        messages.info(request, again % {"number": listed.duplicate_count})
    if listed is not None and listed.problem_count:
        left_out = _("%(number)s entries were left out: they name nobody, or more than one.")
        messages.warning(request, left_out % {"number": listed.problem_count})
    return True


def _tally(draft: BroadcastDraft) -> dict[str, Any]:
    """Return the count in words: how many, how many of them are reached, and why not by each channel."""
    tally, labels = draft.tally, dict(Channel.choices)
    reasons = dict(Reason.choices)
    suppressed = tally.get("suppressed", {})
    names = sorted({*tally.get("going", {}), *suppressed}, key=Channel.values.index)
    channels = [
        {
            "label": labels[name],
            "going": tally.get("going", {}).get(name, 0),
            "suppressed": sum(suppressed.get(name, {}).values()),
            "reasons": [
                (reasons.get(reason, reason), number)
                for reason, number in sorted(suppressed.get(name, {}).items(), key=lambda item: -item[1])
            ],
        }
        for name in names
    ]
    keys = ("recipients", "reached", "unreached", "unknown", "unworded", "total")
    return {**{key: tally.get(key, 0) for key in keys}, "channels": channels}


def _page(
    owner: ModelAdmin[Any], request: HttpRequest, name: str, title: str, *, form: BaseForm, **shown: Any
) -> HttpResponse:
    context = {
        **owner.admin_site.each_context(request),
        "opts": owner.opts,
        "title": title,
        "form": form,
        "zone": settings.TIME_ZONE,
        "step": name,
        **shown,
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, f"admin/notifications/broadcast/{name}.html", context, status=status)
