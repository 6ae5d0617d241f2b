"""The adapter of docs/adding-a-channel.md keeps to what every adapter must keep to."""

from __future__ import annotations

import pytest

from tests.examples.pager import PagerChannel
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.notifications.channels.conformance import CANARY, Answer
from tests.providers.peer import HttpPeer
from tests.providers.server import said


class PagerPeer(HttpPeer):
    channel = "sms"
    secrets = ("zztoken4e",)

    def build(self):
        return PagerChannel(url=self.server.url, token="zztoken4e")

    def answer(self, answer):
        # As bad as services can be, it repeats what it was told.
        words = f"{self.address(0)} zztoken4e"
        return {
            Answer.ACCEPTED: lambda: said(201, {"id": "page-1"}),
            Answer.REFUSED: lambda: said(422, {"code": "bad_text", "message": words}),
            Answer.GONE: lambda: said(410, {"code": "gone", "message": words}),
            Answer.LATER: lambda: said(503, {"message": words}),
            Answer.THROTTLED: lambda: said(429, {"message": words}, retry_after="7"),
            Answer.UNAUTHORIZED: lambda: said(401, {"message": words}),
        }[answer]()

    def address(self, number):
        return f"{CANARY}-{number}"


@pytest.fixture
def peer():
    with PagerPeer() as peer:
        yield peer


def test_a_page_says_who_is_told_what_and_by_which_id(peer):
    message = peer.message()

    (receipt,) = peer.adapter().send_batch([message])

    (request,) = peer.server.requests
    assert request.json() == {"id": message.delivery_id.hex, "to": message.address, "text": message.rendered.body}
    assert request.headers["authorization"] == "Bearer zztoken4e"
    assert receipt.provider_message_id == "page-1"


def test_a_url_that_is_none_is_found_at_start_up():
    assert PagerChannel(url="pager.example", token="x").check() == ["url is no URL"]
