"""Push to apps, against Google's token service and Firebase on loopback."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest

from notifications.channels.fcm import FcmChannel
from notifications.exceptions import MisconfiguredError, PermanentError, ThrottledError, TransientError
from notifications.ids import uuid7
from notifications.types import Priority, Reason
from notifications.values import Action, Receipt, Rendered
from tests.notifications.channels import conformance
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.notifications.channels.conformance import CANARY, Answer
from tests.providers import server
from tests.providers.firebase import PEM, Firebase, refused
from tests.providers.server import Close, said

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOLD = {
    Answer.ACCEPTED: None,
    Answer.REFUSED: refused(400, "INVALID_ARGUMENT", CANARY),
    Answer.GONE: refused(404, "NOT_FOUND", "UNREGISTERED"),
    Answer.LATER: refused(500, "INTERNAL", "INTERNAL"),
    Answer.THROTTLED: refused(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Retry_After="7"),
    Answer.UNAUTHORIZED: refused(403, "PERMISSION_DENIED"),
    Answer.DROPPED: Close(),
    Answer.GARBAGE: server.Answer(200, b"\xff\x00" + CANARY.encode()),
}


class FcmPeer(conformance.Peer):
    """Firebase as the suite wants it."""

    channel = "web_push"
    secrets = (PEM, "ya29.")

    def __init__(self):
        self.firebase = Firebase()
        self.url = ""
        self._adapters: list = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def __enter__(self):
        self.firebase.__enter__()
        self.url = self.firebase.url
        return self

    def __exit__(self, *error):
        for adapter in self._adapters:
            adapter.close()
        self.firebase.__exit__(*error)

    def adapter(self):
        self._adapters.append(FcmChannel(service_account=self.firebase.account(), base_url=self.url))
        return self._adapters[-1]

    def script(self, *answers):
        if Answer.DOWN in answers:
            self.url = self._nobody
        self.firebase.answers.extend(TOLD[answer] for answer in answers if answer != Answer.DOWN)

    @property
    def calls(self):
        return self.firebase.sends

    @property
    def accepted(self):
        return self.firebase.messages

    def address(self, number):
        return f"{number:032x}"

    def endpoint(self, number):
        return {"token": f"{CANARY}-{number:04}:APA91b_token"}


@pytest.fixture
def peer():
    with FcmPeer() as peer:
        yield peer


@pytest.fixture
def firebase(peer):
    return peer.firebase


@pytest.fixture
def channel(peer):
    return peer.adapter()


def send(channel, *messages):
    """Return what became of one message, or of each."""
    results = list(channel.send_batch(list(messages)))
    return results[0] if len(messages) == 1 else results


def test_an_app_is_told_title_body_link_and_tag(peer, firebase, channel, time_machine):
    time_machine.move_to(NOW, tick=False)
    number = uuid7()
    message = peer.message(notification_id=number, expires_at=NOW + timedelta(hours=1), action=Action(url="/orders/1/"))

    receipt = send(channel, message)

    assert receipt == Receipt(backend="FcmChannel", provider_message_id="0:1")
    assert firebase.messages == [
        {
            "token": peer.endpoint(0)["token"],
            "notification": {"title": "Your order", "body": "Order 0 is on its way."},
            # An app has no site of its own.
            "data": {"url": "http://127.0.0.1:8000/orders/1/", "tag": number.hex, "id": str(number)},
            "android": {
                "priority": "NORMAL", "ttl": "3600s", "collapse_key": number.hex, "notification": {"tag": number.hex},
            },
            "apns": {
                "headers": {
                    "apns-priority": "5",
                    "apns-expiration": str(int(NOW.timestamp()) + 3600),
                    "apns-collapse-id": number.hex,
                }
            },
        }
    ]  # fmt: skip


@pytest.mark.parametrize("priority", list(Priority), ids=str)
def test_what_is_urgent_wakes_a_telephone(peer, firebase, channel, priority):
    send(channel, peer.message(priority=priority))

    (message,) = firebase.messages
    is_soon = priority in {Priority.URGENT, Priority.HIGH}
    assert message["android"]["priority"] == ("HIGH" if is_soon else "NORMAL")
    assert message["apns"]["headers"]["apns-priority"] == ("10" if is_soon else "5")


@pytest.mark.parametrize(
    ("expires_in", "ttl"),
    [(None, "86400s"), (timedelta(days=365), "2419200s"), (timedelta(seconds=-5), "0s")],
    ids=["a day", "four weeks at most", "over already"],
)
def test_firebase_keeps_a_message_as_long_as_it_is_worth(peer, firebase, channel, time_machine, expires_in, ttl):
    time_machine.move_to(NOW, tick=False)
    send(channel, peer.message(expires_at=expires_in and NOW + expires_in))

    assert firebase.messages[0]["android"]["ttl"] == ttl


def test_the_longest_text_fits_into_what_firebase_takes(peer, firebase, channel):
    send(channel, peer.message(rendered=Rendered(title="T" * 5000, body="ö" * 50_000)))

    (message,) = firebase.messages
    told = {"notification": message["notification"], "data": message["data"]}
    assert 3000 <= len(json.dumps(told, ensure_ascii=False).encode()) <= 4096
    assert message["notification"]["body"].endswith("ö…")


@pytest.mark.parametrize(
    ("answer", "error", "reason", "suppress"),
    [
        (refused(404, "NOT_FOUND", "UNREGISTERED"), PermanentError, Reason.ENDPOINT_GONE, True),
        (refused(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.token"), PermanentError, Reason.ENDPOINT_GONE, True),
        (refused(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.data"), PermanentError, Reason.REJECTED, False),
        (refused(400, "INVALID_ARGUMENT"), PermanentError, Reason.REJECTED, False),
        (refused(404, "NOT_FOUND"), PermanentError, Reason.REJECTED, False),
        (refused(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), MisconfiguredError, None, None),
        (refused(403, "PERMISSION_DENIED"), MisconfiguredError, None, None),
        (refused(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), MisconfiguredError, None, None),
        (said(400, ["odd"]), PermanentError, Reason.REJECTED, False),
        (said(400, {"error": {"details": [1, {"fieldViolations": [2]}], "status": 7}}), PermanentError, Reason.REJECTED, False),
    ],
    ids=[
        "unregistered", "no token", "no data", "no details", "no project", "sender", "permission", "apns", "a list", "odd details",
    ],
)  # fmt: skip
def test_each_refusal_is_told_apart(peer, firebase, channel, answer, error, reason, suppress):
    firebase.answers.append(answer)

    result = send(channel, peer.message())

    assert type(result) is error
    assert (getattr(result, "reason", None), getattr(result, "suppress", None)) == (reason, suppress)


@pytest.mark.parametrize(
    ("answer", "error", "seconds"),
    [
        (refused(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Retry_After="7"), ThrottledError, 7),
        (refused(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), ThrottledError, 60),
        (refused(503, "UNAVAILABLE", "UNAVAILABLE", Retry_After="120"), TransientError, 120),
        (refused(500, "INTERNAL", "INTERNAL"), TransientError, None),
    ],
    ids=["429 with", "429 without", "503", "500"],
)
def test_whoever_asks_for_time_is_given_it(peer, firebase, channel, answer, error, seconds):
    firebase.answers.append(answer)

    result = send(channel, peer.message())

    assert type(result) is error
    assert (result.retry_after and result.retry_after.total_seconds()) == seconds


def test_an_app_of_somebody_else_pauses_nobody_else(peer, firebase, channel):
    """Anybody can register its token; it must not look as if our account were wrong."""
    mismatch = refused(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH")
    firebase.answers.extend([None, mismatch, None])

    results = send(channel, *(peer.message(number) for number in range(3)))

    assert [type(result) for result in results] == [Receipt, PermanentError, Receipt]
    assert (results[1].code, results[1].suppress) == ("SENDER_ID_MISMATCH", True)


def test_one_token_serves_until_shortly_before_its_end(peer, firebase, channel, time_machine):
    time_machine.move_to(NOW, tick=False)
    send(channel, peer.message(1), peer.message(2))
    assert len(firebase.claims) == 1

    time_machine.move_to(NOW + timedelta(minutes=54), tick=False)
    send(channel, peer.message(3))
    assert len(firebase.claims) == 1

    time_machine.move_to(NOW + timedelta(minutes=56), tick=False)
    send(channel, peer.message(4))
    assert len(firebase.claims) == 2
    assert len(firebase.messages) == 4


def test_a_token_that_is_not_taken_is_asked_for_anew(peer, firebase, channel):
    firebase.answers.append(refused(401, "UNAUTHENTICATED"))

    results = send(channel, peer.message(1), peer.message(2))

    assert isinstance(results[0], MisconfiguredError)
    assert isinstance(results[1], Receipt)
    assert len(firebase.claims) == 2


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (said(400, {"error": "invalid_grant"}), MisconfiguredError, "invalid_grant"),
        (said(401, {"error": "invalid_client"}), MisconfiguredError, "invalid_client"),
        (said(429, {}, Retry_After="7"), ThrottledError, "429"),
        (said(503, {}), TransientError, "503"),
        (said(200, {}), TransientError, "no_token"),
        (said(200, []), TransientError, "no_token"),
        (said(200, {"access_token": 1, "expires_in": 1}), TransientError, "no_token"),
        (said(200, {"access_token": "a\nb", "expires_in": 1}), TransientError, "no_token"),
        (said(200, {"access_token": "a", "expires_in": "soon"}), TransientError, "no_token"),
        (said(200, {"access_token": "a", "expires_in": 1e300}), TransientError, "no_token"),
        (server.Answer(200, b"\xff"), TransientError, "no_token"),
        (Close(), TransientError, "RemoteProtocolError"),
    ],
    ids=[
        "grant", "client", "429", "503", "empty", "list", "number", "two lines", "no time", "for ever", "no JSON", "closed",
    ],
)  # fmt: skip
def test_without_a_token_nothing_is_sent(peer, firebase, channel, answer, error, code):
    firebase.token_answers.append(answer)

    result = send(channel, peer.message())

    assert (type(result), result.code) == (error, code)
    assert firebase.sends == 0
    assert isinstance(send(channel, peer.message()), Receipt)


@pytest.mark.parametrize(
    "endpoint", [None, {}, {"token": ""}, {"token": 7}, {"token": "a b" * 20}, {"endpoint": "https://x"}], ids=repr
)
def test_what_is_no_token_of_an_app_is_refused_before_anybody_is_asked(peer, firebase, channel, endpoint):
    result = send(channel, peer.message(endpoint=endpoint))

    assert (type(result), result.reason) == (PermanentError, Reason.INVALID_ADDRESS)
    assert firebase.connections == 0


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"project_id": "", "token_uri": ""}, "project_id, token_uri"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"}, "no RSA key"),
    ],
    ids=["half of it", "no key"],
)
def test_wrong_options_are_said_and_harm_nobody(peer, firebase, changes, problem):
    channel = FcmChannel(service_account=firebase.account(**changes), base_url=firebase.url)

    assert [found for found in channel.check() if problem in found]
    if "private_key" in changes:
        assert isinstance(send(channel, peer.message()), MisconfiguredError)
        assert firebase.connections == 0


def test_a_file_that_was_not_read_is_said():
    assert "service_account" in FcmChannel(service_account='{"project_id": "shop"}').check()[0]  # type: ignore[arg-type]


def test_what_is_printed_of_the_account_is_its_project(firebase, channel):
    assert repr(channel._account) == "<ServiceAccount of shop>"
