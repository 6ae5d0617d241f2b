"""Push messages to browsers by the Web Push protocol (RFC 8030): encrypted, signed, and to known push services only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from notifications import clock
from notifications.channels import addresses, base64url, guard, push_text
from notifications.channels.base import OneByOne
from notifications.channels.http import Http, error_of, retry_after
from notifications.channels.push_encryption import encrypt
from notifications.channels.vapid import Vapid
from notifications.exceptions import DeliveryError, MisconfiguredError, PermanentError, ThrottledError
from notifications.types import Priority, Reason

if TYPE_CHECKING:
    from notifications.channels.http import Response
    from notifications.channels.vapid import Token
    from notifications.values import Message

#: How long a push service keeps what it cannot deliver: usually, and at most. None promises more than four weeks.
DEFAULT_TTL, MAX_TTL = timedelta(days=1), timedelta(weeks=4)
#: RFC 8030 §5.3. What is urgent wakes a telephone that saves power.
URGENCY = {Priority.URGENT: "high", Priority.HIGH: "high", Priority.NORMAL: "normal", Priority.LOW: "low"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A browser, as it can be reached."""

    url: str
    #: p256dh and auth of RFC 8291 §2.
    key: bytes
    secret: bytes


class WebPushChannel(OneByOne):
    """
    One request per browser.

    `private_key`, `subject`: who we are (`manage.py make_vapid_keys`); `ttl`: seconds to keep what never expires.
    """

    batch_size = 50
    #: Each vendor has a service of its own, and anybody can register browsers at one that there is not.
    one_provider = False

    def __init__(self, *, private_key: str, subject: str, ttl: float = DEFAULT_TTL.total_seconds()) -> None:
        self._vapid = Vapid(private_key=private_key, subject=subject)
        self._ttl = timedelta(seconds=ttl)
        self._http = Http(timeout=self.send_timeout, guarded=True)

    @property
    def public_key(self) -> str:
        """What a browser needs to subscribe: the `applicationServerKey`."""
        return self._vapid.public_key

    def check(self) -> list[str]:
        return self._vapid.problems()

    def close(self) -> None:
        self._http.close()

    def send_one(self, message: Message) -> str:
        subscription = _subscription(message.endpoint)
        now = clock.now()
        expires_in = message.expires_at - now if message.expires_at else self._ttl
        body = _sealed(push_text.as_json(push_text.fitted(message, push_text.MAX_PLAIN)), subscription)
        token = self._vapid.token(subscription.url, now)
        headers = {
            "Authorization": token.authorization,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(min(max(expires_in, timedelta()), MAX_TTL).total_seconds())),
            "Urgency": URGENCY[message.priority],
            # The same on every try: what is still waiting there is replaced.
            "Topic": push_text.tag(message),
        }
        answer = self._http.request("POST", subscription.url, headers=headers, content=body)
        if not answer.is_success:
            raise self._error(answer, token)
        token.is_proven = True
        return ""

    def _error(self, answer: Response, token: Token) -> DeliveryError:
        """Return what a refusal means (RFC 8030 §5, §7.3, §8.4; RFC 8292 §4)."""
        reason = answer.word("reason")
        # Apple's words. Anything else may be anything, also part of the address.
        code = reason if reason.isalpha() else str(answer.status)
        what = f"The push service answered {answer.status}."
        if answer.status in {401, 403}:
            if token.is_proven:
                # It takes this token for others: the browser subscribed with somebody else's key, or a former one of ours.
                return PermanentError(what, code=code, reason=Reason.ENDPOINT_GONE, suppress=True)
            self._vapid.forget(token)
            return MisconfiguredError(what, code=code)
        if answer.status == 413:
            return PermanentError(what, code=code, reason=Reason.TOO_LONG)
        wait = retry_after(answer.headers)
        if answer.status == 503 and wait is not None:
            return ThrottledError(what, code=code, retry_after=wait)
        return error_of(answer.status, code, "The push service", answer.headers, is_endpoint=True)


def _subscription(address: Mapping[str, object] | None) -> Subscription:
    """Return a browser; raise `PermanentError` if the address is none, or its push service is not known here any more."""
    address = address or {}
    url, keys = address.get("endpoint"), address.get("keys")
    if not (isinstance(url, str) and isinstance(keys, Mapping)):
        what = "This is no browser's subscription."
        raise PermanentError(what, code="no_subscription", reason=Reason.INVALID_ADDRESS)
    key, secret = (base64url.decode(str(keys.get(name, ""))) for name in ("p256dh", "auth"))
    if not (key and secret):
        what = "The subscription has no keys."
        raise PermanentError(what, code="no_keys", reason=Reason.INVALID_ADDRESS, suppress=True)
    if not addresses.is_push_service(guard.host_of(guard.checked_url(url))):
        what = "The push service is not among PUSH_HOSTS."
        raise PermanentError(what, code="unknown_push_service", reason=Reason.INVALID_ADDRESS)
    return Subscription(url=url, key=key, secret=secret)


def _sealed(plain: bytes, subscription: Subscription) -> bytes:
    try:
        return encrypt(plain, browser_key=subscription.key, secret=subscription.secret)
    except ValueError as e:
        what = "The browser's key is no point of P-256."
        raise PermanentError(what, code="bad_key", reason=Reason.INVALID_ADDRESS, suppress=True) from e
