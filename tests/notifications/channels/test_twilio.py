"""Text messages by Twilio, against its API on loopback."""

from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from notifications import clock
from notifications.channels import twilio
from notifications.channels.twilio import TwilioSms
from notifications.exceptions import AmbiguousError, MisconfiguredError, PermanentError, ThrottledError, TransientError
from notifications.types import Reason
from notifications.values import Receipt, Rendered
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.providers.server import Answer, Hang, Reset, said
from tests.providers.twilio import ACCOUNT, TOKEN, TwilioPeer, refusal

#: The example of twilio.com/docs/usage/security, as their libraries test it.
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
PARAMS = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
EXAMPLE_TOKEN = "12345"
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.fixture
def peer():
    with TwilioPeer() as peer:
        yield peer


def send(peer, answer=None, **changes):
    """Send one message by an adapter of this provider; return what it ended with."""
    if answer is not None:
        peer.server.answers.append(answer)
    (result,) = peer.adapter().send_batch([peer.message(**changes)])
    return result


def test_a_message_is_one_post_as_twilio_documents_it(peer):
    result = send(peer, said(201, {"sid": "SM" + "0f" * 16}), rendered=Rendered(title="", body="Here: 5 € & more"))

    (asked,) = peer.server.requests
    assert result == Receipt(backend="TwilioSms", provider_message_id="SM" + "0f" * 16)
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode() == f"{ACCOUNT}:{TOKEN}"
    assert parse_qs(asked.body.decode(), strict_parsing=True) == {
        "To": ["+12025550100"],
        "From": ["+12025550199"],
        "Body": ["Here: 5 € & more"],
    }


def test_a_messaging_service_a_callback_and_an_end_are_told(peer):
    adapter = TwilioSms(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        messaging_service_sid="MG1",
        status_callback="https://shop.example/n/callbacks/twilio/",
        base_url=peer.server.url,
    )

    list(adapter.send_batch([peer.message(expires_at=clock.now() + timedelta(minutes=5))]))
    list(adapter.send_batch([peer.message(expires_at=clock.now() + timedelta(days=5))]))
    list(adapter.send_batch([peer.message(expires_at=clock.now() - timedelta(days=5))]))
    adapter.close()

    told = [parse_qs(asked.body.decode()) for asked in peer.server.requests]
    assert [one["MessagingServiceSid"] for one in told] == [["MG1"]] * 3
    assert [one["StatusCallback"] for one in told] == [["https://shop.example/n/callbacks/twilio/"]] * 3
    assert 290 <= int(told[0]["ValidityPeriod"][0]) <= 300
    assert [one["ValidityPeriod"] for one in told[1:]] == [["36000"], ["1"]]
    assert all("From" not in one for one in told)


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (400, 21211, PermanentError, Reason.INVALID_ADDRESS),
        (400, 21614, PermanentError, Reason.INVALID_ADDRESS),
        (400, 21635, PermanentError, Reason.INVALID_ADDRESS),
        (400, 21610, PermanentError, Reason.UNSUBSCRIBED),
        (400, 21617, PermanentError, Reason.TOO_LONG),
        (400, 21612, PermanentError, Reason.REJECTED),
        (403, 21408, PermanentError, Reason.REJECTED),
        (400, 21606, MisconfiguredError, None),
        (401, 20003, MisconfiguredError, None),
        (404, 20404, MisconfiguredError, None),
        (400, 21611, ThrottledError, None),
        (429, 20429, ThrottledError, None),
        (500, 20500, TransientError, None),
        (503, 20503, TransientError, None),
    ],
)
def test_twilio_s_own_code_says_more_than_the_status(peer, status, code, kind, reason):
    result = send(peer, refusal(status, code))

    assert type(result) is kind
    assert (result.code, str(result)) == (str(code), f"Twilio answered {status}, code {code}.")
    assert getattr(result, "reason", None) == reason
    dead = {Reason.INVALID_ADDRESS, Reason.UNSUBSCRIBED}
    assert getattr(result, "suppress", False) == (reason in dead)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("-3", 1), ("soon", None), ("99999999", 3600), ("Thu, 01 Jan 1970 00:00:00 GMT", 1)],
)
def test_how_long_twilio_asks_to_wait_is_kept_within_bounds(peer, header, seconds):
    result = send(peer, refusal(429, 20429, Retry_After=header))

    assert result.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("body", [b'{"sid": ', b"", b"[]", b'{"sid": "+12025550100"}', b'{"sid": 5}'])
def test_what_was_accepted_was_sent_also_when_its_id_cannot_be_read(peer, body):
    assert send(peer, Answer(201, body)) == Receipt(backend="TwilioSms", provider_message_id="")


@pytest.mark.parametrize("answer", [Reset, Hang])
def test_what_was_not_answered_may_have_been_sent(peer, answer, monkeypatch):
    monkeypatch.setattr(TwilioSms, "send_timeout", timedelta(seconds=0.4))

    assert isinstance(send(peer, answer()), AmbiguousError)
    assert len(peer.server.requests) == 1


@pytest.mark.parametrize(
    "address", ["+0123", "+1234567890123456", "0202 5550123", "+1-800-FLOWERS", "+12025550123 x5", "alice"]
)
def test_what_is_no_number_is_not_asked_for(peer, address):
    result = send(peer, address=address)

    assert (result.reason, result.code, result.suppress) == (Reason.INVALID_ADDRESS, "bad_number", False)
    assert peer.calls == 0


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("+12025550123", "+12025550123"),
        ("+447700900123", "+447700900123"),
        ("+1 (202) 555-0123", "+12025550123"),
        ("0170 1234567", "+491701234567"),
    ],
)
def test_a_number_is_told_in_e164(peer, address, number):
    adapter = TwilioSms(account_sid=ACCOUNT, auth_token=TOKEN, from_="Shop", base_url=peer.server.url, region="DE")

    list(adapter.send_batch([peer.message(address=address)]))
    adapter.close()

    assert parse_qs(peer.server.requests[0].body.decode())["To"] == [number]


@pytest.mark.parametrize(
    ("body", "is_sent"), [("a" * 918, True), ("a" * 919, False), ("я" * 402, True), ("я" * 403, False), (" ", False)]
)
def test_a_message_of_more_than_six_segments_is_not_asked_for(peer, body, is_sent):
    result = send(peer, rendered=Rendered(title="", body=body))

    assert isinstance(result, Receipt) == is_sent
    assert peer.calls == is_sent


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, ["needs either from_ or messaging_service_sid"]),
        ({"from_": "a", "messaging_service_sid": "b"}, ["needs either from_ or messaging_service_sid"]),
        ({"from_": "a", "account_sid": ""}, ["needs an account_sid"]),
        ({"from_": "a", "status_callback": "/n/"}, ["status_callback is no URL"]),
        ({"from_": "a", "base_url": "api.twilio.com"}, ["base_url is no URL"]),
        ({"from_": "a"}, []),
    ],
)
def test_wrong_options_are_named(options, wrong):
    assert TwilioSms(**{"account_sid": ACCOUNT, "auth_token": TOKEN, **options}).check() == wrong


def test_twilio_s_signature_is_known_by_its_documented_example():
    assert twilio.verify(URL, PARAMS, SIGNATURE, auth_token=EXAMPLE_TOKEN)


@pytest.mark.parametrize(
    ("url", "params", "signature", "token"),
    [
        (URL + "3", PARAMS, SIGNATURE, EXAMPLE_TOKEN),
        (URL, {**PARAMS, "Digits": "1235"}, SIGNATURE, EXAMPLE_TOKEN),
        (URL, {**PARAMS, "More": "1"}, SIGNATURE, EXAMPLE_TOKEN),
        (URL, PARAMS, SIGNATURE.lower(), EXAMPLE_TOKEN),
        (URL, PARAMS, "", EXAMPLE_TOKEN),
        (URL, PARAMS, "ü", EXAMPLE_TOKEN),
        (URL, PARAMS, SIGNATURE, "54321"),
    ],
)
def test_what_twilio_did_not_sign_is_not_believed(url, params, signature, token):
    assert not twilio.verify(url, params, signature, auth_token=token)


@pytest.mark.parametrize(
    ("status", "code", "kind", "is_hard"),
    [
        ("delivered", None, "delivered", False),
        ("undelivered", "30003", "bounced", False),
        ("undelivered", "30005", "bounced", True),
        ("undelivered", "30006", "bounced", True),
        ("failed", "30008", "failed", False),
        ("failed", "21610", "failed", True),
        ("read", None, "opened", False),
    ],
)
def test_what_became_of_a_message_is_told_in_our_words(status, code, kind, is_hard):
    params = {"MessageSid": "SM1", "MessageStatus": status, "To": "+12025550100"}
    told = twilio.parse(params if code is None else {**params, "ErrorCode": code})

    assert told is not None
    assert (told.provider_message_id, told.kind, told.is_hard) == ("SM1", kind, is_hard)
    assert (told.event_id, told.reason) == (f"SM1:{status}", code or "")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"MessageSid": "SM1"},
        {"MessageStatus": "delivered"},
        {"MessageSid": "SM1", "MessageStatus": "sent"},
        {"MessageSid": "SM1", "MessageStatus": "queued"},
        {"MessageSid": "+12025550100 ", "MessageStatus": "delivered"},
    ],
)
def test_what_is_not_over_is_not_told(params):
    assert twilio.parse(params) is None
