"""Unsubscribing, and one's preferences, by the link of a message: without a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.urls import reverse

from notifications import clock
from notifications.exceptions import WrongPreference
from notifications.labels import LABELS, translated
from notifications.models import Category
from notifications.pages.page import WrongInput
from notifications.pages.preferences import rows_of, wishes_of
from notifications.pages.public import by_link, show
from notifications.services import preferences
from notifications.services import unsubscribe as service
from notifications.types import Channel

if TYPE_CHECKING:
    from django.http import HttpRequest

    from notifications.pipeline.links import Link


@by_link
def unsubscribe(request: HttpRequest, link: Link) -> HttpResponse:
    """
    Ask, and do it on POST (RFC 8058 §3.1): looking changes nothing, for scanners of mail follow every link.

    Nothing of the page depends on who the recipient is, or whether there still is one.
    """
    category = Category.objects.filter(code=link.category).first()
    if request.method != "POST":
        return _page(link, category)
    try:
        if request.POST.get("List-Unsubscribe") == "One-Click":
            # A mail program asks, which shows nothing.
            service.unsubscribe(link, now=clock.now())
            return HttpResponse(content_type="text/plain")
        match request.POST.get("do"):
            case "unsubscribe":
                service.unsubscribe(link, now=clock.now())
                return _page(link, category, done=True)
            case "undo":
                service.undo(link, now=clock.now())
                return _page(link, category, undone=True)
    except WrongPreference:
        # Required by now: nobody can switch it off.
        return _page(link, category, status=409)
    raise WrongInput


@by_link
def preferences_by_link(request: HttpRequest, link: Link) -> HttpResponse:
    """Show the wishes of who got the link, and write them; those of somebody who is gone are nobody's."""
    recipient = service.recipient_of(link)
    if request.method != "POST":
        return _preferences(recipient)
    wishes = list(wishes_of(request))
    if refused := preferences.refusals(wishes):
        return _preferences(recipient, errors=[str(error) for error in refused.values()], status=400)
    if recipient is not None:
        preferences.set_cadences(recipient, wishes, now=clock.now(), origin=service.ORIGIN)
    return _preferences(recipient, saved=LABELS["saved"])


def _page(link: Link, category: Category | None, *, status: int = 200, **what: Any) -> HttpResponse:
    context = {
        "category": translated(category.name) if category else link.category,
        "is_required": category is None or category.required,
        "channel": Channel(link.channel).label,
        "preferences_url": reverse("n:preferences", args=[link.token]),
        **what,
    }
    return show("unsubscribe.html", context, status=status)


def _preferences(recipient: Any, *, status: int = 200, **what: Any) -> HttpResponse:
    return show("public_preferences.html", {"rows": rows_of(preferences.matrix(recipient)), **what}, status=status)
