"""What every page has in common: a known person, their language and clock, a strict content policy, friendly errors."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from notifications import conf
from notifications.pipeline.quiet_hours import time_zone
from notifications.services import personal

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifications.models import RecipientSettings

#: Nothing inline, nothing from elsewhere, and no script that makes markup out of text.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


class Visit(HttpRequest):
    """A request of somebody who is logged in, with what they have set."""

    user: Any
    personal: RecipientSettings


class WrongInput(ValueError):
    """What came with the request cannot be read."""


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a page of a view: for those logged in, in their language and time zone; what is wrong is said on a page."""

    @wraps(view)
    def answer(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        request.personal = personal.settings_of(request.user)
        with translation.override(_language(request.personal)), timezone.override(_zone(request.personal)):
            response = _answered(view, request, *args, **kwargs)
            response["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
        return response

    protected = login_required(answer)

    @wraps(view)
    def strict(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = protected(request, *args, **kwargs)
        response["Content-Security-Policy"] = CONTENT_POLICY
        patch_cache_control(response, no_cache=True, private=True)
        return response

    return strict


def show(request: Visit, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a template of `notifications/pages/`."""
    shared = {"site_name": conf.current().site_name, "language": translation.get_language()}
    return render(request, f"notifications/pages/{template}", shared | context, status=status)


def _answered(view: Callable[..., HttpResponse], request: Visit, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except (ValidationError, WrongInput):
        title = _("This cannot be read")
        text = _("The address or the form was changed, or is incomplete. Nothing was done; please begin anew.")
        return show(request, "problem.html", {"title": title, "text": text}, status=400)
    except Http404:
        title = _("Not found")
        text = _("There is no such notification, or it is somebody else's.")
        return show(request, "problem.html", {"title": title, "text": text}, status=404)


def _language(own: RecipientSettings) -> str | None:
    """Return the language a person has chosen, as far as the site speaks it; else the one of the request."""
    try:
        return translation.get_supported_language_variant(own.locale)
    except LookupError:
        return translation.get_language()


def _zone(own: RecipientSettings) -> ZoneInfo | None:
    """Return the zone of a person's clock; None: the site's."""
    try:
        return time_zone(own.time_zone) if own.time_zone else None
    except ValueError:
        # Chosen when there still was one of this name.
        return None
