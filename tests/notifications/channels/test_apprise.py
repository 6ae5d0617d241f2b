"""Chat by Apprise, against Google Chat as Apprise speaks to it."""

from __future__ import annotations

from uuid import UUID

import pytest
from apprise.plugins.google_chat import NotifyGoogleChat

from notifications.channels.apprise import AppriseChannel
from notifications.exceptions import PermanentError, TransientError
from notifications.types import Reason
from notifications.values import Action, Receipt, Rendered
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.notifications.channels.conformance import CANARY, Answer
from tests.providers.peer import HttpPeer
from tests.providers.server import Server, said

# Its plugins, all of which it loads, use what Python and others will take away.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class GoogleChat(HttpPeer):
    channel = "chat"
    #: Apprise says that it failed, and not how.
    answers = frozenset({Answer.ACCEPTED, Answer.LATER, Answer.DOWN, Answer.GARBAGE, Answer.DROPPED})

    def build(self):
        return AppriseChannel(services=["gchat"])

    def answer(self, answer):
        return said(200, {"name": "spaces/A/messages/1"}) if answer == Answer.ACCEPTED else said(503, {"error": CANARY})

    def address(self, number):
        return UUID(int=number + 1).hex

    def endpoint(self, number):
        return {"url": f"https://chat.googleapis.com/v1/spaces/A{number}/messages?key=K&token={CANARY}"}


@pytest.fixture
def peer(monkeypatch, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "BASE_URL": "https://shop.example"}
    with GoogleChat() as peer:
        monkeypatch.setattr(NotifyGoogleChat, "notify_url", peer.server.url + "/v1/spaces/{workspace}/messages")
        yield peer


def send(peer, **changes):
    (result,) = peer.adapter().send_batch([peer.message(**changes)])
    return result


def test_a_message_is_posted_with_its_link(peer):
    result = send(peer, rendered=Rendered(title="Your order", body="It is here."), action=Action(url="/orders/1"))

    (asked,) = peer.server.requests
    assert result == Receipt(backend="AppriseChannel")
    assert asked.path.startswith("/v1/spaces/A0/messages")
    assert "Your order" in asked.json()["text"]
    assert "It is here.\n\nhttps://shop.example/orders/1" in asked.json()["text"]


def test_a_redirect_is_a_failure_and_nothing_is_asked_there(peer):
    with Server() as canary:
        peer.server.answers.append(said(302, Location=canary.url))

        result = send(peer, endpoint={"url": peer.endpoint(0)["url"] + "&redirect=yes"})

    assert isinstance(result, TransientError)
    assert canary.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://example.com/",
        "json://127.0.0.1/",
        "gchat://A/B/C",
        "file:///etc/passwd",
        "https://",
    ],
)
def test_only_the_services_named_are_asked_by_the_urls_they_gave(peer, url):
    result = send(peer, endpoint={"url": url})

    assert isinstance(result, PermanentError)
    assert (result.code, result.reason) == ("unknown_service", Reason.INVALID_ADDRESS)


def test_a_service_whose_url_could_lead_anywhere_is_refused():
    assert AppriseChannel(services=["gchat", "wxteams"]).check() == []
    assert AppriseChannel(services=[]).check() == ["needs services"]
    assert AppriseChannel(services=["json", "slack", "nope"]).check() == [
        "services: 'json' has a host in its URL, which could be any",
        "services: 'nope' is none of Apprise",
        "services: 'slack' reads a file named in its URL",
    ]
