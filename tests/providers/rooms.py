"""Incoming webhooks of Slack, Teams and Discord, and a receiver of webhooks."""

from __future__ import annotations

from uuid import UUID

from notifications.channels.chat import ChatChannel
from notifications.channels.webhook import WebhookChannel
from tests.notifications.channels.conformance import CANARY, Answer
from tests.providers.peer import HttpPeer
from tests.providers.server import Answer as Said
from tests.providers.server import said

#: Vector of Standard Webhooks; the canary in the second one is text to base64.
SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", f"whsec_{CANARY}{CANARY}{CANARY}")


class Registered(HttpPeer):
    """Where a person's URL leads, which is as good as a password. 127.0.0.1 must be in PRIVATE_HOSTS."""

    #: There are no credentials of ours that could be wrong.
    answers = frozenset(Answer) - {Answer.UNAUTHORIZED}

    def address(self, number):
        return UUID(int=number + 1).hex

    def endpoint(self, number):
        return {"url": f"{self.server.url}/{CANARY}/{number}"}


class SlackPeer(Registered):
    channel = "chat"

    def build(self):
        return ChatChannel(hosts={"127.0.0.1": "slack"})

    def answer(self, answer):
        return {
            Answer.ACCEPTED: lambda: Said(200, b"ok"),
            Answer.REFUSED: lambda: Said(400, b"invalid_payload"),
            Answer.GONE: lambda: Said(404, b"no_service"),
            Answer.LATER: lambda: Said(500, f"rollup_error at {CANARY}".encode()),
            Answer.THROTTLED: lambda: Said(429, b"rate_limited", {"Retry-After": "7"}),
        }[answer]()


class DiscordPeer(Registered):
    channel = "chat"

    def build(self):
        return ChatChannel(hosts={"127.0.0.1": "discord"})

    def answer(self, answer):
        limited = {"message": "You are being rate limited.", "retry_after": 1.337, "global": False}
        return {
            Answer.ACCEPTED: lambda: Said(204, b"", {"X-RateLimit-Remaining": "4"}),
            Answer.REFUSED: lambda: said(400, {"code": 50035, "message": f"Invalid Form Body at {CANARY}"}),
            Answer.GONE: lambda: said(404, {"code": 10015, "message": f"Unknown Webhook {CANARY}"}),
            Answer.LATER: lambda: said(502, {"code": 0}),
            Answer.THROTTLED: lambda: said(429, limited, Retry_After="2"),
        }[answer]()


class TeamsPeer(Registered):
    channel = "chat"

    def build(self):
        return ChatChannel(hosts={"127.0.0.1": "teams"})

    def answer(self, answer):
        def wrong(status, code, **headers):
            return said(status, {"error": {"code": code, "message": f"The workflow {CANARY}"}}, **headers)

        return {
            Answer.ACCEPTED: lambda: Said(202, b""),
            Answer.REFUSED: lambda: wrong(400, "TriggerInputSchemaMismatch"),
            Answer.GONE: lambda: wrong(404, "WorkflowNotFound"),
            Answer.LATER: lambda: wrong(502, "NoResponse"),
            Answer.THROTTLED: lambda: wrong(429, "WorkflowTriggerIsThrottled", Retry_After="17"),
        }[answer]()


class ReceiverPeer(Registered):
    channel = "webhook"
    secrets = SECRETS
    #: Only "gone" is final; all else is tried again by the schedule, which counts.
    answers = Registered.answers - {Answer.REFUSED, Answer.THROTTLED}

    def build(self):
        return WebhookChannel(secrets=SECRETS)

    def answer(self, answer):
        return {
            Answer.ACCEPTED: lambda: Said(204, b""),
            Answer.GONE: lambda: Said(410, CANARY.encode()),
            Answer.LATER: lambda: Said(503, CANARY.encode()),
        }[answer]()
