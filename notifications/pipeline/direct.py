"""Legacy events: a raw address and a text become a delivery like any other, with its retries, pace, pauses and log."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from notifications import clock, wakeups
from notifications.exceptions import NotPlainData
from notifications.inputs import check_text
from notifications.models import Delivery
from notifications.types import Channel, DeliveryState, Reason

if TYPE_CHECKING:
    from uuid import UUID

#: Characters a text, or an HTML document, may have.
MAX_TEXT = 200_000

#: Channel → what a legacy payload calls its parts: ours → theirs, the first that is there counts.
_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    Channel.EMAIL: {
        "address": ("to", "email", "address"),
        "title": ("subject", "title"),
        "body": ("text", "body", "message"),
        "html": ("html",),
    },
    Channel.SMS: {"address": ("to", "phone", "address"), "body": ("text", "body", "message")},
}


def accept(channel: Channel, payload: Any, *, message_id: UUID) -> DeliveryState:
    """
    Store a legacy event as a delivery and ring for it; a payload that cannot be used becomes a failed one.

    The message's id is the delivery's: a message the broker hands over twice is one delivery.
    """
    warnings.warn(
        f"SEND_{channel.upper()} is a legacy event; publish a template with publish_notification instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    now = clock.now()
    delivery = Delivery(id=message_id, channel=channel, created_at=now, due_at=now)
    try:
        parts = _parts(channel, payload)
    except NotPlainData as e:
        delivery.state, delivery.finished_at = DeliveryState.FAILED, now
        delivery.reason, delivery.last_error = Reason.BAD_PAYLOAD, str(e)[:1000]
    else:
        delivery.address = parts.pop("address")
        delivery.content = parts
    Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    if delivery.state == DeliveryState.PENDING:
        wakeups.ring(wakeups.deliver_actor(channel))
    return DeliveryState(delivery.state)


def _parts(channel: Channel, payload: Any) -> dict[str, str]:
    """Return address, title, body and html of a payload; raise `NotPlainData` naming what is wrong."""
    if not isinstance(payload, dict):
        message = f"The payload is a {type(payload).__name__}; pass an object with `to` and `text`."
        raise NotPlainData(message)
    names = _NAMES[channel]
    parts = {part: _text(payload, choices) for part, choices in names.items()}
    if not parts["address"].strip():
        message = "The payload has no address: pass `to`."
        raise NotPlainData(message)
    if not (parts["body"].strip() or parts.get("html", "").strip()):
        message = "The payload has nothing to say: pass `text`."
        raise NotPlainData(message)
    return parts


def _text(payload: dict[str, Any], choices: tuple[str, ...]) -> str:
    name = next((choice for choice in choices if payload.get(choice) is not None), choices[0])
    value = payload.get(name, "")
    if not isinstance(value, str):
        message = f"`{name}` is a {type(value).__name__}; pass text."
        raise NotPlainData(message)
    check_text(value, name)
    if len(value) > MAX_TEXT:
        message = f"`{name}` has {len(value)} characters; at most {MAX_TEXT}."
        raise NotPlainData(message)
    return value
