"""What the pages without a login have in common: no cookies, nothing cached, nothing told to other sites."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import conf
from notifications.pages.page import WrongInput
from notifications.pipeline import links

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

#: Longest form.
MAX_BYTES = 64 * 1024
#: Nothing but our own style sheet, and our own form.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    # The address is the key to it.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


def by_link(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """
    Make a page of a view that is given what its link stands for.

    Without protection against forged requests: it has no cookie that another site could use, the link is what counts.
    """

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def answer(request: HttpRequest, token: str) -> HttpResponse:
        response = _answered(view, request, token)
        for name, value in _HEADERS.items():
            response[name] = value
        return response

    return answer


def show(template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a template of `notifications/pages/`, without the request: nothing of it is about who asks."""
    shared = {"site_name": conf.current().site_name, "language": translation.get_language()}
    return HttpResponse(render_to_string(f"notifications/pages/{template}", shared | context), status=status)


def _answered(view: Callable[..., HttpResponse], request: HttpRequest, token: str) -> HttpResponse:
    link = links.read(token)
    if link is None:
        text = _("This link is not whole: perhaps a part of it was lost on its way. Please copy all of it.")
        return _problem(_("Not found"), text, status=404)
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > MAX_BYTES:
        return HttpResponse(status=413)
    try:
        return view(request, link)
    except WrongInput:
        text = _("The address or the form was changed, or is incomplete. Nothing was done; please begin anew.")
        return _problem(_("This cannot be read"), text, status=400)


def _problem(title: str, text: str, *, status: int) -> HttpResponse:
    return show("public_problem.html", {"title": title, "text": text}, status=status)
