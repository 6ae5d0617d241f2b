"""A gateway for text messages that takes and gives JSON."""

from __future__ import annotations

from uuid import uuid4

from notifications.channels.sms_http import HttpSms
from tests.notifications.channels.conformance import CANARY, Answer
from tests.providers.peer import HttpPeer
from tests.providers.server import said

KEY = f"key-{CANARY}"


class GatewayPeer(HttpPeer):
    channel = "sms"
    secrets = (KEY,)
    #: It knows no code that says that a number is dead.
    answers = frozenset(Answer) - {Answer.GONE}

    def build(self):
        return HttpSms(
            url=f"{self.server.url}/send?key={KEY}",
            headers={"Authorization": f"Bearer {KEY}"},
            body={"messages": [{"to": "{to}", "text": "{text}", "reference": "{id}"}], "from": "Shop"},
            id_path="messages.0.id",
            code_path="error.code",
        )

    def answer(self, answer):
        wrong = {"error": {"code": 42, "text": f"+12025550100 {KEY}"}}
        return {
            Answer.ACCEPTED: lambda: said(202, {"messages": [{"id": uuid4().hex}]}),
            Answer.REFUSED: lambda: said(422, wrong),
            Answer.LATER: lambda: said(500, wrong),
            Answer.THROTTLED: lambda: said(429, wrong, Retry_After="7"),
            Answer.UNAUTHORIZED: lambda: said(403, wrong),
        }[answer]()

    def address(self, number):
        return f"+120255501{number:02}"
