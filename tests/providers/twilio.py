"""Twilio's Messages resource, as its documentation describes it."""

from __future__ import annotations

from uuid import uuid4

from notifications.channels.twilio import TwilioSms
from tests.notifications.channels.conformance import CANARY, Answer
from tests.providers.peer import HttpPeer
from tests.providers.server import said

ACCOUNT, TOKEN = "AC" + "a1" * 16, f"token-{CANARY}"


def refusal(status, code, **headers):
    """Answer with an error; as Twilio's do, its text quotes the number and more."""
    message = f"The 'To' number +12025550100 is not right, says {TOKEN}"
    value = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return said(status, value, **headers)


class TwilioPeer(HttpPeer):
    channel = "sms"
    secrets = (TOKEN,)

    def build(self):
        return TwilioSms(account_sid=ACCOUNT, auth_token=TOKEN, from_="+12025550199", base_url=self.server.url)

    def answer(self, answer):
        return {
            Answer.ACCEPTED: lambda: said(201, {"sid": "SM" + uuid4().hex, "status": "queued", "error_code": None}),
            Answer.REFUSED: lambda: refusal(400, 21612),
            Answer.GONE: lambda: refusal(400, 21211),
            Answer.LATER: lambda: refusal(503, 20503),
            Answer.THROTTLED: lambda: refusal(429, 20429, Retry_After="7"),
            Answer.UNAUTHORIZED: lambda: refusal(401, 20003),
        }[answer]()

    def address(self, number):
        return f"+120255501{number:02}"
