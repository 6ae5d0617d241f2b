"""The demo's mailboxes and phones: everything that went out."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from config.demo import outbox
from config.demo.pages import page

#: An e-mail brings its own styles, and its links open in a tab of their own. It may do nothing else.
EMAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'"
)


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    return page(request, "demo/outbox.html", {"messages_sent": outbox.newest()})


@require_GET
@xframe_options_sameorigin
def show_email(request: HttpRequest, file: str, index: int) -> HttpResponse:
    """Show the HTML of an e-mail, for the frame on the page."""
    email = outbox.email(file, index)
    if email is None:
        raise Http404
    return HttpResponse(email.html, headers={"Content-Security-Policy": EMAIL_POLICY})
