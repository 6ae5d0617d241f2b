"""Where providers tell what became of a message: POST /n/callbacks/{provider}/. Nothing is believed unsigned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import clock, conf, signals
from notifications.services import tracking
from notifications.webhooks import esp, signed, twilio
from notifications.webhooks.refusals import Refused, TooLong

if TYPE_CHECKING:
    from django.http import HttpRequest

#: What the largest batch of a provider takes, and more.
MAX_BYTES = 1024 * 1024
#: Providers with a shape of their own; others use ours.
_READERS = {"twilio": twilio.read}


# Providers have no cookie of ours: each shows a signature, or a secret, instead.
@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def receive(request: HttpRequest, provider: str) -> HttpResponse:
    """Take what a provider tells. An answer of 2xx means that we have it, or that it is nothing of ours."""
    if request.method == "HEAD":
        # How some see whether there is anybody, when it is set up.
        return HttpResponse()
    try:
        _check_size(request)
        if secrets := conf.current().callback_secrets.get(provider):
            read = _READERS.get(provider, signed.read)
            tracking.note(read(request, secrets), provider=provider, now=clock.now())
        else:
            esp.read(request, provider)
    except Refused as e:
        signals.callback_refused.send(type(e), provider=provider, why=str(e))
        headers = {"WWW-Authenticate": "Basic"} if e.status == 401 else None
        return HttpResponse(status=e.status, headers=headers)
    return HttpResponse()


def _check_size(request: HttpRequest) -> None:
    """Raise `TooLong`; of what says that it is too long, nothing is read."""
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > MAX_BYTES or len(request.body) > MAX_BYTES:
        raise TooLong
