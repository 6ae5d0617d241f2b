"""Callbacks in our own shape, signed by Standard Webhooks: for gateways and relays that can be taught."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_datetime

from notifications import clock
from notifications.channels.callbacks import Callback
from notifications.channels.webhook import signature
from notifications.exceptions import NotPlainData
from notifications.inputs import check_plain
from notifications.types import Feedback
from notifications.webhooks.refusals import NotBelieved, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.http import HttpRequest

#: Standard Webhooks 1.0, "Verifying signatures": how old, or how far ahead, a request may be.
TOLERANCE = timedelta(minutes=5)
MAX_EVENTS = 1000
_TEXTS = ("id", "message_id", "kind", "code", "at")


def read(request: HttpRequest, secrets: Iterable[str]) -> list[Callback]:
    """Return what a request tells; raise `Refused` if it is not signed, too old, or not in our shape."""
    name, given = request.headers.get("webhook-id", ""), request.headers.get("webhook-signature", "")
    sent_at = _instant(request.headers.get("webhook-timestamp", ""))
    # What is not signed is not even parsed.
    if not name or not _is_signed(name, int(sent_at.timestamp()), request.body, given, secrets):
        raise NotBelieved
    if abs(clock.now() - sent_at) > TOLERANCE:
        raise NotBelieved
    return [_callback(event, f"{name}:{index}") for index, event in enumerate(_events(request.body))]


def _is_signed(name: str, sent_at: int, body: bytes, given: str, secrets: Iterable[str]) -> bool:
    """Tell whether one of the signatures is one of ours; each is compared in constant time."""
    shown = [one.encode() for one in given.split()]
    ours = [signature(secret, name, sent_at, body).encode() for secret in secrets]
    return any(hmac.compare_digest(one, other) for one in shown for other in ours)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(text), tz=UTC)
    except (ValueError, OverflowError, OSError) as e:
        raise NotBelieved from e


def _events(body: bytes) -> Sequence[Any]:
    try:
        told = json.loads(body)
        check_plain(told, "The callback")
    except (ValueError, RecursionError, NotPlainData) as e:
        raise Unreadable from e
    events = told.get("events") if isinstance(told, dict) else None
    if not isinstance(events, list) or len(events) > MAX_EVENTS:
        raise Unreadable
    return events


def _callback(event: Any, name: str) -> Callback:
    if not isinstance(event, dict):
        raise Unreadable
    given = {key: event.get(key, "") for key in _TEXTS}
    if not all(isinstance(text, str) for text in given.values()) or given["kind"] not in Feedback.values:
        raise Unreadable
    return Callback(
        provider_message_id=given["message_id"],
        kind=given["kind"],
        event_id=given["id"] or name,
        at=_at(given["at"]),
        reason=given["code"],
        is_hard=event.get("is_hard") is True,
    )


def _at(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return None if at is None or at.tzinfo is None else at
