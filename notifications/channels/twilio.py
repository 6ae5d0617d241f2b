"""Text messages by Twilio, or by a service with the same API: sending, and what is told of them later."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from notifications import clock
from notifications.channels.callbacks import Callback
from notifications.channels.http import error_of, retry_after, safe_code
from notifications.channels.sms import MAX_SEGMENTS, SmsChannel
from notifications.exceptions import DeliveryError, MisconfiguredError, PermanentError, ThrottledError
from notifications.types import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from notifications.channels.callbacks import Kind
    from notifications.channels.http import Response
    from notifications.values import Message

# What Twilio's codes mean: twilio.com/docs/api/errors, read in November 2026. Others mean what their status does.
#: Not this number, ever: no such number, no mobile, a short code, a landline, a premium number.
_DEAD = frozenset({"21211", "21217", "21265", "21614", "21635", "21663", "30005", "30006"})
_OPTED_OUT = "21610"
#: Not to this country, or not by a trial account: no other message has to wait for that.
_NOT_THERE = frozenset({"21408", "21608"})
_TOO_LONG = "21617"
#: Our account, our sender, or our money.
_OURS = frozenset(
    {
        "20003",
        "20005",
        "20404",
        "21212",
        "21603",
        "21606",
        "21659",
        "21660",
        "21661",
        "21701",
        "21703",
        "21705",
        "30002",
    }
)
#: Too many at once: requests, or messages waiting for a sender.
_BUSY = frozenset({"14107", "20429", "21611", "30001"})
_ID = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
#: Twilio drops what it could not hand on within so many seconds.
_LONGEST_WAIT = 36_000
#: How a message can end (twilio.com/docs/messaging/guides/track-outbound-message-status).
_KINDS: Mapping[str, Kind] = {
    "delivered": "delivered",
    "undelivered": "bounced",
    "failed": "failed",
    "read": "opened",
}


class TwilioSms(SmsChannel):
    """
    Send by Twilio: one POST for each message, from a number or by a messaging service.

    `status_callback`: where Twilio tells what became of it; absolute. `base_url`: for services with the same API.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        from_: str = "",
        messaging_service_sid: str = "",
        status_callback: str = "",
        base_url: str = "https://api.twilio.com",
        max_segments: int = MAX_SEGMENTS,
        region: str = "",
    ) -> None:
        super().__init__(max_segments=max_segments, region=region)
        self._from, self._service = from_, messaging_service_sid
        self._status_callback = status_callback
        self._base_url, self._account = base_url.rstrip("/"), account_sid
        basic = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}

    def check(self) -> list[str]:
        wrong = []
        if bool(self._from) == bool(self._service):
            wrong.append("needs either from_ or messaging_service_sid")
        if not self._account:
            wrong.append("needs an account_sid")
        for name, url in (("base_url", self._base_url), ("status_callback", self._status_callback)):
            if url and urlsplit(url).scheme not in {"http", "https"}:
                wrong.append(f"{name} is no URL")
        return wrong

    def send(self, number: str, text: str, message: Message) -> str:
        url = f"{self._base_url}/2010-04-01/Accounts/{self._account}/Messages.json"
        content = urlencode(self._parameters(number, text, message)).encode()
        answer = self._http.request("POST", url, headers=self._headers, content=content)
        if not answer.is_success:
            raise _error(answer)
        # Accepted, whatever the answer looks like: sent again, it would be a second message.
        found = answer.word("sid")
        return found if _ID.fullmatch(found) else ""

    def _parameters(self, number: str, text: str, message: Message) -> dict[str, str]:
        parameters = {"To": number, "Body": text}
        if self._service:
            parameters["MessagingServiceSid"] = self._service
        else:
            parameters["From"] = self._from
        if self._status_callback:
            parameters["StatusCallback"] = self._status_callback
        if message.expires_at is not None:
            seconds = int((message.expires_at - clock.now()).total_seconds())
            parameters["ValidityPeriod"] = str(min(max(seconds, 1), _LONGEST_WAIT))
        return parameters


def verify(url: str, params: Mapping[str, str], signature: str, *, auth_token: str) -> bool:
    """
    Tell whether a request came from Twilio: X-Twilio-Signature (twilio.com/docs/usage/security).

    `url` is the one Twilio was given, with its query; `params` are those of the body.
    """
    told = url + "".join(f"{name}{params[name]}" for name in sorted(params))
    expected = base64.b64encode(hmac.digest(auth_token.encode(), told.encode(), hashlib.sha1))
    return hmac.compare_digest(expected, signature.encode())


def parse(params: Mapping[str, Any]) -> Callback | None:
    """Return what a verified request tells of a message; None: it is still under way, or of something else."""
    message_id, status = safe_code(params.get("MessageSid")), safe_code(params.get("MessageStatus"))
    kind = _KINDS.get(status)
    if not message_id or kind is None:
        return None
    code = safe_code(params.get("ErrorCode"))
    # Twilio gives its events no ids, and each message ends in a way once.
    return Callback(
        provider_message_id=message_id,
        kind=kind,
        event_id=f"{message_id}:{status}",
        reason=code,
        is_hard=code in _DEAD or code == _OPTED_OUT,
    )


def _error(answer: Response) -> DeliveryError:
    code = answer.word("code")
    what = f"Twilio answered {answer.status}, code {code}."
    if code in _DEAD:
        return PermanentError(what, code=code, reason=Reason.INVALID_ADDRESS, suppress=True)
    if code == _OPTED_OUT:
        return PermanentError(what, code=code, reason=Reason.UNSUBSCRIBED, suppress=True)
    if code == _TOO_LONG:
        return PermanentError(what, code=code, reason=Reason.TOO_LONG)
    if code in _NOT_THERE:
        return PermanentError(what, code=code)
    if code in _OURS:
        return MisconfiguredError(what, code=code)
    if code in _BUSY:
        return ThrottledError(what, code=code, retry_after=retry_after(answer.headers))
    return error_of(answer.status, code, "Twilio", answer.headers)
