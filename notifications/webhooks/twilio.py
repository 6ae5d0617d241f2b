"""What Twilio tells of text messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications import conf
from notifications.channels.twilio import parse, verify
from notifications.pipeline.safe_tags import absolute_link
from notifications.webhooks.refusals import NotBelieved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

    from notifications.channels.callbacks import Callback


def read(request: HttpRequest, secrets: Iterable[str]) -> list[Callback]:
    """Return what a request tells; raise `Refused` if none of the tokens of our account signed it."""
    # What Twilio was given, and signs; behind a proxy, the request knows another one.
    url = absolute_link(request.get_full_path(), conf.current().base_url)
    given, params = request.headers.get("X-Twilio-Signature", ""), request.POST.dict()
    if not any(verify(url, params, given, auth_token=token) for token in secrets):
        raise NotBelieved
    callback = parse(params)
    return [] if callback is None else [callback]
