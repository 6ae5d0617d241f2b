"""Push messages to apps on telephones by Firebase Cloud Messaging, HTTP v1."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from notifications import clock, conf
from notifications.channels import addresses, push_text
from notifications.channels.base import OneByOne
from notifications.channels.http import Http, error_of, retry_after, safe_code
from notifications.channels.service_account import ServiceAccount
from notifications.exceptions import DeliveryError, MisconfiguredError, PermanentError, ThrottledError
from notifications.types import Priority, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifications.channels.http import Response
    from notifications.values import Message

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
#: FCM takes 4096 bytes, with its own names for things.
MAX_TOLD = 3500
#: How long FCM keeps what it cannot deliver: usually, and at most.
DEFAULT_TTL, MAX_TTL = timedelta(days=1), timedelta(weeks=4)
#: What FCM wants to be left alone for when it does not say so itself ("Handle errors", Firebase docs).
QUOTA_WAIT = timedelta(minutes=1)
#: Google's words for errors, and nothing that could be part of a token.
_WORD = re.compile(r"[A-Z_]{1,40}")
#: Wakes a telephone that saves power.
_AT_ONCE = {Priority.URGENT, Priority.HIGH}


class FcmChannel(OneByOne):
    """
    One request per app.

    `service_account`: the JSON of one that may send; `ttl`: seconds to keep what never expires; `base_url`: of FCM.
    """

    batch_size = 50

    def __init__(
        self,
        *,
        service_account: Mapping[str, Any],
        ttl: float = DEFAULT_TTL.total_seconds(),
        base_url: str = "https://fcm.googleapis.com",
    ) -> None:
        self._account = ServiceAccount(service_account, scope=SCOPE)
        self._ttl = timedelta(seconds=ttl)
        self._url = f"{base_url.rstrip('/')}/v1/projects/{self._account.project}/messages:send"
        self._http = Http(timeout=self.send_timeout)
        #: Has it taken a message of ours? Then what it refuses later is not for our credentials.
        self._is_proven = False

    def check(self) -> list[str]:
        return self._account.problems()

    def close(self) -> None:
        self._http.close()

    def send_one(self, message: Message) -> str:
        device = (message.endpoint or {}).get("token")
        if not addresses.is_device_token(device):
            what = "This is no token of an app."
            raise PermanentError(what, code="no_token", reason=Reason.INVALID_ADDRESS)
        token = self._account.token(self._http, clock.now())
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        content = json.dumps({"message": self._told(message, device)}, ensure_ascii=False).encode()
        answer = self._http.request("POST", self._url, headers=headers, content=content)
        if not answer.is_success:
            raise self._error(answer)
        self._is_proven = True
        return _name(answer)

    def _told(self, message: Message, device: str) -> dict[str, Any]:
        told = push_text.fitted(message, MAX_TOLD)
        now, at_once = clock.now(), message.priority in _AT_ONCE
        expires_in = message.expires_at - now if message.expires_at else self._ttl
        lifetime = min(max(expires_in, timedelta()), MAX_TTL)
        url = urljoin(conf.current().base_url, told["url"]) if told["url"] else ""
        return {
            "token": device,
            "notification": {"title": told["title"], "body": told["body"]},
            "data": {"url": url, "tag": told["tag"], "id": told["id"]},
            "android": {
                "priority": "HIGH" if at_once else "NORMAL",
                "ttl": f"{int(lifetime.total_seconds())}s",
                # Without one of its own, a device that is off is kept the last message alone.
                "collapse_key": told["tag"],
                "notification": {"tag": told["tag"]},
            },
            "apns": {
                "headers": {
                    "apns-priority": "10" if at_once else "5",
                    "apns-expiration": str(int((now + lifetime).timestamp())),
                    "apns-collapse-id": told["tag"],
                }
            },
        }

    def _error(self, answer: Response) -> DeliveryError:
        """Return what a refusal means (Firebase's reference: ErrorCode, FcmError)."""
        code, is_of_token = _read(answer)
        what = f"FCM answered {answer.status}, code {code}."
        if code == "UNREGISTERED" or is_of_token or (code == "SENDER_ID_MISMATCH" and self._is_proven):
            # The app is gone, or the token is none, or it is of an app of somebody else's.
            return PermanentError(what, code=code, reason=Reason.ENDPOINT_GONE, suppress=True)
        if answer.status in {401, 403}:
            self._account.forget()
            return MisconfiguredError(what, code=code)
        if answer.status == 429:
            return ThrottledError(what, code=code, retry_after=retry_after(answer.headers) or QUOTA_WAIT)
        return error_of(answer.status, code, "FCM", answer.headers)


def _read(answer: Response) -> tuple[str, bool]:
    """Return FCM's word for an error, and whether it is the device's token that is wrong."""
    found = answer.json()
    error = found.get("error") if isinstance(found, dict) else None
    error = error if isinstance(error, dict) else {}
    details = error.get("details")
    parts = [part for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    words = [*(part.get("errorCode") for part in parts), error.get("status")]
    code = next((word for word in words if isinstance(word, str) and _WORD.fullmatch(word)), str(answer.status))
    fields = [field for part in parts for field in part.get("fieldViolations") or () if isinstance(field, dict)]
    is_of_token = any(field.get("field") == "message.token" for field in fields)
    return code, is_of_token


def _name(answer: Response) -> str:
    """Return FCM's id of a message: the end of projects/…/messages/…"""
    found = answer.json()
    name = found.get("name") if isinstance(found, dict) else ""
    return safe_code(str(name).rpartition("/")[2])
