"""Push to browsers, against a push service that checks who sends and really decrypts."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import jwt
import pytest

from notifications.channels import vapid
from notifications.channels.base64url import encode
from notifications.channels.vapid import Vapid, new_private_key
from notifications.channels.web_push import WebPushChannel
from notifications.exceptions import MisconfiguredError, PermanentError, ThrottledError, TransientError
from notifications.ids import uuid7
from notifications.types import Priority, Reason
from notifications.values import Receipt, Rendered
from tests.notifications.channels import conformance
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.notifications.channels.conformance import CANARY, Answer
from tests.providers import server
from tests.providers.push_service import PushService
from tests.providers.server import Close, said

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = new_private_key()
PUBLIC_KEY = Vapid(private_key=KEY, subject="mailto:push@shop.example").public_key
TOLD = {
    Answer.ACCEPTED: None,
    Answer.REFUSED: said(400, {"reason": CANARY, "message": KEY}),
    Answer.GONE: said(410, {"reason": "Unregistered"}),
    Answer.LATER: said(500, {"error": CANARY}),
    Answer.THROTTLED: said(429, {}, Retry_After="7"),
    Answer.UNAUTHORIZED: said(403, {"message": CANARY}),
    Answer.DROPPED: Close(),
    Answer.GARBAGE: server.Answer(200, b"\xff\x00" + CANARY.encode()),
}


class WebPushPeer(conformance.Peer):
    """The push service as the suite wants it."""

    channel = "web_push"
    secrets: ClassVar[tuple[str, ...]] = (KEY,)

    def __init__(self):
        self.service = PushService()
        self.is_down = False
        self._adapters: list = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def __enter__(self):
        self.service.__enter__()
        return self

    def __exit__(self, *error):
        for adapter in self._adapters:
            adapter.close()
        self.service.__exit__(*error)

    def adapter(self):
        self._adapters.append(WebPushChannel(private_key=KEY, subject="mailto:push@shop.example"))
        return self._adapters[-1]

    def script(self, *answers):
        self.is_down = Answer.DOWN in answers
        self.service.answers.extend(TOLD[answer] for answer in answers if answer != Answer.DOWN)

    @property
    def calls(self):
        return len(self.service.requests)

    @property
    def accepted(self):
        return self.service.pushed

    def address(self, number):
        return f"{number:032x}"

    def endpoint(self, number):
        subscription = self.service.subscribe(PUBLIC_KEY, f"{CANARY}-{number}")
        if self.is_down:
            subscription["endpoint"] = f"{self._nobody}/{CANARY}"
        return subscription


@pytest.fixture(autouse=True)
def on_loopback(settings):
    """The push service of these tests is known here, and one of ours."""
    ours = {"PUSH_HOSTS": ["127.0.0.1"], "PRIVATE_HOSTS": ["127.0.0.1"]}
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, **ours}


@pytest.fixture
def peer():
    with WebPushPeer() as peer:
        yield peer


@pytest.fixture
def service(peer):
    return peer.service


@pytest.fixture
def channel(peer):
    return peer.adapter()


def send(channel, *messages):
    """Return what became of one message, or of each."""
    results = list(channel.send_batch(list(messages)))
    return results[0] if len(messages) == 1 else results


def test_a_browser_reads_title_body_link_and_tag(peer, service, channel):
    number = uuid7()
    receipt = send(channel, peer.message(notification_id=number))

    assert receipt == Receipt(backend="WebPushChannel")
    (pushed,) = service.pushed
    assert pushed.json() == {
        "title": "Your order",
        "body": "Order 0 is on its way.",
        "url": "https://shop.example/orders/1",
        "tag": number.hex,
        "id": str(number),
    }
    # Nothing of it can be read on the way.
    assert b"Your order" not in service.heard


def test_the_longest_text_fits_into_what_a_push_service_takes(peer, service, channel):
    send(channel, peer.message(rendered=Rendered(title="T" * 5000, body="ö" * 50_000)))

    (request,) = service.requests
    assert 4056 <= len(request.body) <= 4096
    assert service.pushed[0].json()["body"].endswith("ö…")


@pytest.mark.parametrize(
    ("expires_in", "ttl"),
    [
        (None, 86_400),
        (timedelta(hours=1), 3600),
        (timedelta(days=3), 259_200),
        (timedelta(days=365), 2_419_200),
        (timedelta(seconds=-5), 0),
    ],
    ids=["a day", "until it expires", "longer than a day", "four weeks at most", "over already"],
)
def test_a_push_service_keeps_a_message_as_long_as_it_is_worth(peer, service, channel, time_machine, expires_in, ttl):
    time_machine.move_to(NOW, tick=False)
    send(channel, peer.message(expires_at=expires_in and NOW + expires_in))

    assert service.pushed[0].headers["ttl"] == str(ttl)


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [(Priority.URGENT, "high"), (Priority.HIGH, "high"), (Priority.NORMAL, "normal"), (Priority.LOW, "low")],
    ids=str,
)
def test_urgency_is_that_of_the_priority(peer, service, channel, priority, urgency):
    send(channel, peer.message(priority=priority))

    assert service.pushed[0].headers["urgency"] == urgency


def test_a_repetition_takes_the_place_of_what_is_waiting(peer, service, channel):
    message = peer.message()
    peer.script(Answer.DROPPED)

    send(channel, message)
    send(channel, message)

    topics = {request.headers["topic"] for request in service.requests}
    assert topics == {message.notification_id.hex}
    assert [len(topic) for topic in topics] == [32]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_taken(peer, service, channel, status):
    service.answers.append(server.Answer(status, b"", {} if status != 204 else {"Content-Length": "0"}))

    assert isinstance(send(channel, peer.message()), Receipt)


@pytest.mark.parametrize(
    ("answer", "error", "reason", "suppress"),
    [
        (said(404), PermanentError, Reason.ENDPOINT_GONE, True),
        (said(410), PermanentError, Reason.ENDPOINT_GONE, True),
        (said(413), PermanentError, Reason.TOO_LONG, False),
        (said(400), PermanentError, Reason.REJECTED, False),
        (said(301, Location="http://127.0.0.1:1/"), PermanentError, Reason.REJECTED, False),
        (said(401), MisconfiguredError, None, None),
        (said(403), MisconfiguredError, None, None),
    ],
    ids=["404", "410", "413", "400", "301", "401", "403"],
)
def test_each_refusal_is_told_apart(peer, service, channel, answer, error, reason, suppress):
    service.answers.append(answer)

    result = send(channel, peer.message())

    assert type(result) is error
    assert (getattr(result, "reason", None), getattr(result, "suppress", None)) == (reason, suppress)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error", "seconds"),
    [
        (said(429, Retry_After="7"), ThrottledError, 7),
        (said(429), ThrottledError, None),
        (said(503, Retry_After="120"), ThrottledError, 120),
        (said(503), TransientError, None),
        (said(500), TransientError, None),
    ],
    ids=["429 with", "429 without", "503 with", "503 without", "500"],
)
def test_whoever_asks_for_time_is_given_it(peer, service, channel, answer, error, seconds):
    service.answers.append(answer)

    result = send(channel, peer.message())

    assert type(result) is error
    assert (result.retry_after and result.retry_after.total_seconds()) == seconds


def test_the_word_of_the_push_service_is_kept(peer, service, channel):
    service.answers.append(said(400, {"reason": "VapidPkHashMismatch"}))

    assert send(channel, peer.message()).code == "VapidPkHashMismatch"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("aud", "https://fcm.googleapis.com"),
        ("exp", NOW.timestamp() - 60),
        ("exp", NOW.timestamp() + 25 * 3600),
        ("sub", "shop"),
        ("aud", None),
        ("exp", None),
        ("sub", None),
    ],
    ids=["for another service", "over", "longer than a day", "from nobody", "no aud", "no exp", "no sub"],
)
def test_a_token_that_claims_anything_else_is_not_taken(
    peer, service, channel, time_machine, monkeypatch, claim, value
):
    time_machine.move_to(NOW)
    real = jwt.encode

    def tampered(claims, *args, **options):
        changed = {**claims, claim: value}
        return real({name: value for name, value in changed.items() if value is not None}, *args, **options)

    monkeypatch.setattr(jwt, "encode", tampered)

    result = send(channel, peer.message())

    assert (type(result), result.code) == (MisconfiguredError, "403")
    assert service.pushed == []


def test_a_token_signed_by_somebody_else_is_not_taken(peer, service, channel, monkeypatch):
    other = vapid._loaded(new_private_key())
    monkeypatch.setattr(channel._vapid, "_private_key", other)

    assert isinstance(send(channel, peer.message()), MisconfiguredError)


def test_a_browser_that_subscribed_with_another_key_pauses_nobody_else(peer, service, channel):
    """Anybody can register such a one; it must not look as if our credentials were wrong."""
    foreign = {**service.subscribe("B" + "A" * 86, "foreign")}

    results = send(channel, peer.message(1), peer.message(2, endpoint=foreign), peer.message(3))

    assert [type(result) for result in results] == [Receipt, PermanentError, Receipt]
    assert (results[1].reason, results[1].suppress) == (Reason.ENDPOINT_GONE, True)


def test_after_a_refusal_the_next_token_is_another(peer, service, channel):
    peer.script(Answer.UNAUTHORIZED)

    results = send(channel, peer.message(1), peer.message(2))

    assert isinstance(results[0], MisconfiguredError)
    assert isinstance(results[1], Receipt)
    assert len({request.headers["authorization"] for request in service.requests}) == 2


def test_one_token_serves_a_batch(peer, service, channel):
    send(channel, *(peer.message(number) for number in range(10)))

    assert len(service.pushed) == 10
    assert len({pushed.headers["authorization"] for pushed in service.pushed}) == 1
    assert service.connections == 1


def test_a_push_service_that_is_not_allowed_any_more_is_not_asked(peer, service, channel, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PUSH_HOSTS": ["fcm.googleapis.com"]}

    result = send(channel, peer.message())

    assert (result.code, result.reason, result.suppress) == ("unknown_push_service", Reason.INVALID_ADDRESS, False)
    assert service.connections == 0


def test_a_push_service_inside_is_not_asked(peer, service, channel, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PRIVATE_HOSTS": []}

    assert isinstance(send(channel, peer.message()), PermanentError)
    assert service.connections == 0


def test_a_push_service_whose_name_leads_inside_is_not_asked(peer, service, channel, settings, monkeypatch):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PUSH_HOSTS": ["push.example.org"], "PRIVATE_HOSTS": []}
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", service.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)

    result = send(channel, peer.message(endpoint={**peer.endpoint(0), "endpoint": "https://push.example.org/x"}))

    assert (type(result), result.code) == (PermanentError, "private_address")
    assert service.connections == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"keys": {}}, "no_keys"),
        ({"keys": {"p256dh": "ä", "auth": encode(bytes(16))}}, "no_keys"),
        ({"keys": {"p256dh": encode(b"\x04" + b"\xff" * 64), "auth": encode(bytes(16))}}, "bad_key"),
        ({"keys": "none"}, "no_subscription"),
        ({"endpoint": None}, "no_subscription"),
    ],
    ids=["no keys", "no base64", "beside the curve", "no mapping", "no address"],
)
def test_what_is_no_subscription_is_refused_before_anybody_is_asked(peer, service, channel, changes, code):
    result = send(channel, peer.message(endpoint={**peer.endpoint(0), **changes}))

    assert (type(result), result.code, result.reason) == (PermanentError, code, Reason.INVALID_ADDRESS)
    assert service.connections == 0


def test_wrong_options_are_said_and_harm_nobody(peer, service):
    channel = WebPushChannel(private_key="none", subject="shop")

    assert [problem.partition(" ")[0] for problem in channel.check()] == ["private_key", "subject"]
    assert channel.public_key == ""
    assert isinstance(send(channel, peer.message()), MisconfiguredError)
    assert service.connections == 0
