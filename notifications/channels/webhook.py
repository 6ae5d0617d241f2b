"""
Webhooks: a signed POST to a receiver of one's own, by Standard Webhooks 1.0 (standardwebhooks.com).

Every receiver has a secret of its own, derived from those in the settings: whoever receives could otherwise sign for all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from notifications import clock, ids
from notifications.channels import endpoint
from notifications.channels.base import OneByOne
from notifications.channels.http import Http, Response, retry_after
from notifications.exceptions import DeliveryError, PermanentError, TransientError
from notifications.types import Priority, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from notifications.values import Message

PREFIX = "whsec_"
#: Standard Webhooks 1.0, "Secrets": between 24 and 64 bytes.
SECRET_BYTES = range(24, 65)
#: "Payload size": what receivers can be expected to take.
MAX_BYTES = 20 * 1024


class WebhookChannel(OneByOne):
    """
    POST each notification as JSON to the URLs that people registered.

    `secrets`: the newest first; every message is signed by all of them, so that receivers can change over.
    """

    #: Each receiver is a server of somebody else's.
    one_provider = False

    def __init__(self, *, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secrets)
        self._http = Http(timeout=self.send_timeout, guarded=True)

    def check(self) -> list[str]:
        wrong = [
            f"secrets[{index}] is not whsec_ and 24 to 64 bytes in base64"
            for index, secret in enumerate(self._secrets)
            if not _is_secret(secret)
        ]
        return wrong or ([] if self._secrets else ["needs a secret"])

    def secret_for(self, endpoint_id: str) -> str:
        """Return what a receiver checks signatures by: its secret, by the newest of ours."""
        return secret_of(endpoint_id, self._secrets[0])

    def close(self) -> None:
        self._http.close()

    def send_one(self, message: Message) -> str:
        url, content = endpoint.url_of(message), document(message)
        if len(content) > MAX_BYTES:
            what = f"The document is {len(content)} bytes, more than {MAX_BYTES}."
            raise PermanentError(what, code="too_long", reason=Reason.TOO_LONG)
        answer = self._http.request("POST", url, headers=self._headers(message, content, clock.now()), content=content)
        if not answer.is_success:
            raise _error(answer)
        return message.delivery_id.hex

    def _headers(self, message: Message, content: bytes, now: datetime) -> dict[str, str]:
        name, timestamp = message.delivery_id.hex, int(now.timestamp())
        secrets = [secret_of(message.address, secret) for secret in self._secrets]
        return {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signature(secret, name, timestamp, content) for secret in secrets),
        }


def secret_of(endpoint_id: str, secret: str) -> str:
    """Return the secret of a receiver, by the hex id of its endpoint and a secret of the settings."""
    key = hmac.digest(_key(secret), f"notifications:webhook:{endpoint_id}".encode(), hashlib.sha256)
    return PREFIX + base64.b64encode(key).decode()


def signature(secret: str, name: str, timestamp: int, content: bytes) -> str:
    """Return the signature of a message by a receiver's secret (Standard Webhooks 1.0, "Signature scheme")."""
    signed = f"{name}.{timestamp}.".encode() + content
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def document(message: Message) -> bytes:
    """Return what is sent: the same bytes on every try. Its shape is in docs/channels.md."""
    url = endpoint.action_url(message)
    data = {
        "notification_id": message.notification_id.hex if message.notification_id else None,
        "template": message.template or None,
        "category": message.category,
        "priority": Priority(message.priority).name.lower(),
        "title": message.rendered.title,
        "body": message.rendered.body,
        "action": {"url": url, "text": message.action.text} if url else None,
    }
    name = f"notification.{message.template.lower()}" if message.template else "notification"
    made_at = ids.made_at(message.delivery_id).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"type": name, "timestamp": made_at, "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _error(answer: Response) -> DeliveryError:
    """
    Return what an answer means: only "gone" is final.

    Whatever else a receiver says may be over when its owner has mended it, so it is tried again by the channel's schedule,
    and each try counts.
    """
    what, code = f"The receiver answered {answer.status}.", str(answer.status)
    if answer.status == 410:
        return PermanentError(what, code=code, reason=Reason.ENDPOINT_GONE, suppress=True)
    return TransientError(what, code=code, retry_after=retry_after(answer.headers))


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))


def _is_secret(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return secret.startswith(PREFIX) and len(key) in SECRET_BYTES
