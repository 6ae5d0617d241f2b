"""Text messages by a gateway that takes JSON."""

from __future__ import annotations

import pytest

from notifications.channels.sms_http import HttpSms
from notifications.values import Receipt, Rendered
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.providers.gateway import KEY, GatewayPeer
from tests.providers.server import Answer, said


@pytest.fixture
def peer():
    with GatewayPeer() as peer:
        yield peer


def test_the_document_is_filled_in(peer):
    message = peer.message(rendered=Rendered(title="", body='{to} says "{id}"'))

    (result,) = peer.adapter().send_batch([message])

    (asked,) = peer.server.requests
    filled = {"to": "+12025550100", "text": '{to} says "{id}"', "reference": message.delivery_id.hex}
    assert asked.json() == {"messages": [filled], "from": "Shop"}
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert result.provider_message_id


def test_placeholders_within_a_text_and_values_that_are_none_are_filled_in(peer):
    body = {"text": "{text} ({id}) {text}", "numbers": ("{to}",), "flash": False, "parts": None, "{to}": 1}
    adapter = HttpSms(url=peer.server.url, body=body)
    message = peer.message(rendered=Rendered(title="", body="Hi"))

    list(adapter.send_batch([message]))
    adapter.close()

    assert peer.server.requests[0].json() == {
        "text": f"Hi ({message.delivery_id.hex}) Hi",
        "numbers": ["+12025550100"],
        "flash": False,
        "parts": None,
        "{to}": 1,
    }


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"messages": [{"id": "m-1"}]}', "m-1"),
        (b'{"messages": [{"id": 17}]}', "17"),
        (b'{"messages": [{"id": "+12025550100"}]}', ""),
        (b'{"messages": []}', ""),
        (b'{"messages": "m-1"}', ""),
        (b"[]", ""),
        (b"{", ""),
    ],
)
def test_the_id_is_taken_where_it_is_and_what_was_accepted_was_sent(peer, body, found):
    peer.server.answers.append(Answer(200, body))

    assert list(peer.adapter().send_batch([peer.message()])) == [Receipt(backend="HttpSms", provider_message_id=found)]


def test_the_gateway_s_code_is_kept_and_its_words_are_not(peer):
    peer.server.answers.append(said(400, {"error": {"code": "bad-number", "text": "+12025550100"}}))

    (result,) = peer.adapter().send_batch([peer.message()])

    assert (result.code, str(result)) == ("bad-number", "The SMS provider answered 400, code bad-number.")


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, []),
        ({"url": "gateway.example"}, ["url is no URL"]),
        ({"body": {"to": "{to}"}}, ["body has no {text}"]),
        ({"body": {}}, ["body has no {to}", "body has no {text}"]),
    ],
)
def test_wrong_options_are_named(options, wrong):
    given = {"url": "https://gateway.example/", "body": {"a": ["{to} {text}"]}, **options}

    assert HttpSms(**given).check() == wrong
