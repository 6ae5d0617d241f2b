"""The inbox as pages and forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from notifications import clock
from notifications.api import pagination, strict
from notifications.api.serializers import MarkSerializer, filter_of
from notifications.exceptions import ActionRefused, UnsafeLink
from notifications.inputs import safe_link
from notifications.labels import LABELS, translated
from notifications.models import Category, Notification
from notifications.pages import snoozing
from notifications.pages.page import Visit, WrongInput, page, show
from notifications.pages.part import Part, part_of
from notifications.services import explain, inbox, inbox_actions
from notifications.services.counts import CAP, counts
from notifications.types import InboxStatus, Priority

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from notifications.models.inbox import NotificationQuerySet

STATUSES = {"": "inbox", InboxStatus.UNREAD: "unread", InboxStatus.ARCHIVED: "archived", InboxStatus.SNOOZED: "snoozed"}
LOUD = {Priority.URGENT: "urgent", Priority.HIGH: "high"}
#: What the forms mark; what is seen is seen by the component alone.
MARKS = ("read", "unread", "archived", "unarchived")
IS_SNOOZED = gettext_lazy("It is snoozed; end the snooze first.")


@page
@require_safe
def listed(request: Visit) -> HttpResponse:
    """Show a page of the inbox. Nothing is marked by looking."""
    part = part_of(request.GET)
    rows, cursor = pagination.page(
        inbox.matching(request.user, part.filter()), size=pagination.PAGE_SIZE, cursor=part.cursor
    )
    names = {category.code: translated(category.name) for category in Category.objects.all()}
    context = {
        "items": [_shown(item, names) for item in rows],
        "part": part,
        "newest": rows[0].sort_key if rows else None,
        "older": part.other(cursor=cursor).url() if cursor else "",
        "first": part.other().url() if part.cursor else "",
        "statuses": [
            {"name": name, "label": LABELS[label], "url": part.other(status=name).url()}
            for name, label in STATUSES.items()
        ],
        "categories": _tabs(part, names, counts(request.user)),
        "empty": LABELS[f"empty_{part.status}" if part.status else "empty"],
        "snoozes": snoozing.choices(clock.now()),
    }
    return show(request, "inbox.html", context)


@page
@require_POST
def marked(request: Visit) -> HttpResponse:
    """Mark what the page shows, and what is older, as read; or archive what is read of it."""
    part, mark_as = part_of(request.GET).other(), request.POST.get("mark")
    if mark_as not in {"read", "archived"}:
        raise WrongInput
    wanted = part.other(status="read") if mark_as == "archived" else part
    asked = strict.body(
        MarkSerializer, {"as": mark_as, "filter": wanted.given, "before": request.POST.get("before", "")}
    )
    items = inbox.up_to(inbox.matching(request.user, filter_of(asked["filter"])), asked["before"])
    number = inbox.mark(items, mark_as, now=clock.now())
    text = _("Marked as read: %(number)s.") if mark_as == "read" else _("Archived: %(number)s.")
    messages.success(request, text % {"number": number})
    return HttpResponseRedirect(part.url())


@page
@require_POST
def changed(request: Visit, pk: UUID) -> HttpResponse:
    """Do with one item what its form says: exactly one of `mark`, `snooze`, `press`, `hide`."""
    part = part_of(request.GET)
    wanted = [(name, request.POST.get(name, "")) for name in VERBS if name in request.POST]
    if len(wanted) != 1:
        raise WrongInput
    items = inbox.by_ids(request.user, [pk])
    item = _one(items)
    ((verb, value),) = wanted
    VERBS[verb](request, items, item, value, clock.now())
    return HttpResponseRedirect(f"{part.url()}#item-{item.pk}")


@page
@require_safe
def why(request: Visit, pk: UUID) -> HttpResponse:
    """Tell why an item came, and by which channels it went out or did not."""
    item = _one(inbox.by_ids(request.user, [pk]))
    lines = explain.of_notification(item, now=clock.now()).lines
    return show(request, "why.html", {"item": item, "lines": lines})


def _mark(request: Visit, items: NotificationQuerySet, item: Notification, mark_as: str, now: datetime) -> None:
    if mark_as not in MARKS:
        raise WrongInput
    if item.snoozed_until is not None:
        messages.warning(request, IS_SNOOZED)
        return
    inbox.mark(items, mark_as, now=now)
    messages.success(request, LABELS[f"done_{mark_as}"])


def _snooze(request: Visit, items: NotificationQuerySet, item: Notification, until: str, now: datetime) -> None:
    if until == "end":
        inbox.unsnooze(items)
        messages.success(request, LABELS["done_unsnoozed"])
        return
    ends = snoozing.ends(now)
    if until == "this_evening" and until not in ends:
        messages.warning(request, _("This evening is near or over; please choose another time."))
        return
    if until not in ends:
        raise WrongInput
    inbox.snooze(items, ends[until], now=now)
    messages.success(request, LABELS["done_snoozed"])


def _press(request: Visit, items: NotificationQuerySet, item: Notification, name: str, now: datetime) -> None:
    try:
        inbox_actions.run(items, name, now=now)
    except LookupError as e:
        raise Http404 from e
    except ActionRefused as e:
        messages.error(request, str(e))
        return
    messages.success(request, LABELS["done"])


def _hide(request: Visit, items: NotificationQuerySet, item: Notification, value: str, now: datetime) -> None:
    inbox.hide(items, now=now)
    messages.success(request, LABELS["done_deleted"])


VERBS: dict[str, Callable[[Visit, NotificationQuerySet, Notification, str, datetime], None]] = {
    "mark": _mark,
    "snooze": _snooze,
    "press": _press,
    "hide": _hide,
}


def _one(items: NotificationQuerySet) -> Notification:
    item = items.first()
    if item is None:
        raise Http404
    return item


def _shown(item: Notification, names: dict[str, str]) -> dict[str, Any]:
    loud = LOUD.get(Priority(item.priority))
    return {
        "row": item,
        "link": _link(item),
        "category": names.get(item.category_id, item.category_id),
        "loud": LABELS[loud] if loud else "",
        "actions": inbox_actions.offered(item),
    }


def _link(item: Notification) -> str:
    """Return where it leads; nowhere, if that was written past the front door and is not safe."""
    try:
        return safe_link(item.action_url)
    except UnsafeLink:
        return ""


def _tabs(part: Part, names: dict[str, str], numbers: dict[str, Any]) -> list[dict[str, Any]]:
    unread = {code: number["unread"] for code, number in numbers["by_category"].items()}
    every: list[tuple[str, Any, int]] = [("", LABELS["all"], numbers["unread"])]
    every += [(code, name, unread.get(code, 0)) for code, name in names.items()]
    return [
        {
            "code": code,
            "name": name,
            "url": part.other(category=code).url(),
            "unread": f"{CAP}+" if number >= CAP else str(number or ""),
        }
        for code, name, number in every
    ]
