"""Webhooks, against a receiver that checks signatures by the library of Standard Webhooks."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from notifications import ids
from notifications.channels import webhook
from notifications.channels.webhook import WebhookChannel
from notifications.exceptions import AmbiguousError, PermanentError, TransientError
from notifications.types import Reason
from notifications.values import Action, Receipt, Rendered
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.providers.rooms import SECRETS, ReceiverPeer
from tests.providers.server import Answer, Hang, Reset, Server

OLD, NEW = SECRETS


@pytest.fixture
def peer(settings):
    settings.NOTIFICATIONS = {
        **settings.NOTIFICATIONS,
        "PRIVATE_HOSTS": ("127.0.0.1",),
        "BASE_URL": "https://shop.example",
    }
    with ReceiverPeer() as peer:
        yield peer


def send(peer, answer=None, **changes):
    """Send one message by an adapter of this provider; return what it ended with."""
    if answer is not None:
        peer.server.answers.append(answer)
    (result,) = peer.adapter().send_batch([peer.message(**changes)])
    return result


def test_the_signature_is_that_of_the_standard_s_example():
    signed = webhook.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", SECRETS, ids=["new", "old"])
def test_a_receiver_believes_it_by_its_own_secret_new_or_old(peer, secret):
    send(peer)

    (asked,) = peer.server.requests
    own = webhook.secret_of(peer.address(0), secret)
    assert Webhook(own).verify(asked.body, asked.headers) == asked.json()


def test_a_receiver_cannot_sign_for_another(peer):
    send(peer)

    (asked,) = peer.server.requests
    for secret in (webhook.secret_of(peer.address(1), OLD), OLD):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(asked.body, asked.headers)


def test_what_was_changed_is_not_believed(peer):
    send(peer)

    (asked,) = peer.server.requests
    for body, headers in (
        (asked.body.replace(b"Order 0", b"Order 1"), {}),
        (asked.body, {"webhook-id": ids.uuid7().hex}),
        (asked.body, {"webhook-timestamp": str(int(asked.headers["webhook-timestamp"]) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(webhook.secret_of(peer.address(0), OLD)).verify(body, {**asked.headers, **headers})


def test_a_repetition_has_the_same_id_and_document_and_a_time_of_its_own(peer):
    message, adapter = peer.message(), peer.adapter()
    peer.server.answers.append(Answer(503, b""))

    first, second = (next(adapter.send_batch([message])) for _ in range(2))

    one, two = peer.server.requests
    assert isinstance(first, TransientError)
    assert second == Receipt(backend="WebhookChannel", provider_message_id=message.delivery_id.hex)
    assert one.headers["webhook-id"] == two.headers["webhook-id"] == message.delivery_id.hex
    assert one.body == two.body


def test_the_time_is_that_of_the_try(peer):
    message, adapter = peer.message(), peer.adapter()
    with time_machine.travel(1_800_000_000, tick=False):
        list(adapter.send_batch([message]))
    with time_machine.travel(1_800_000_300, tick=False):
        list(adapter.send_batch([message]))

    assert [asked.headers["webhook-timestamp"] for asked in peer.server.requests] == ["1800000000", "1800000300"]


def test_the_document_is_as_it_is_documented(peer):
    delivery, notification = UUID("0197b3a0-1234-7abc-8def-0123456789ab"), UUID("0197b3a0-0000-7abc-8def-0123456789ab")

    send(
        peer,
        delivery_id=delivery,
        notification_id=notification,
        action=Action(url="/orders/1", text="View order"),
        rendered=Rendered(title="Größe", body='Say "hi" \u2028 😀'),
    )

    (asked,) = peer.server.requests
    assert asked.headers["content-type"] == "application/json"
    assert "Größe".encode() in asked.body
    assert json.loads(asked.body) == {
        "type": "notification.order_shipped",
        "timestamp": "2025-06-27T23:01:41.556Z",
        "data": {
            "notification_id": notification.hex,
            "template": "ORDER_SHIPPED",
            "category": "orders",
            "priority": "normal",
            "title": "Größe",
            "body": 'Say "hi" \u2028 😀',
            "action": {"url": "https://shop.example/orders/1", "text": "View order"},
        },
    }


def test_what_a_message_does_not_have_is_null(peer):
    send(peer, template="", notification_id=None, action=Action())

    told = peer.server.requests[0].json()
    assert (told["type"], told["data"]["template"]) == ("notification", None)
    assert (told["data"]["notification_id"], told["data"]["action"]) == (None, None)


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_whatever_is_not_taken_is_tried_again(peer, status):
    result = send(peer, Answer(status, b"", {"Retry-After": "90", "Location": f"{peer.server.url}/elsewhere"}))

    assert type(result) is TransientError
    assert (result.code, result.retry_after) == (str(status), timedelta(seconds=90))
    assert len(peer.server.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_all_of_2xx_is_success(peer, status):
    assert isinstance(send(peer, Answer(status, b"")), Receipt)


def test_a_receiver_that_is_gone_is_not_asked_again(peer):
    result = send(peer, Answer(410, b""))

    assert isinstance(result, PermanentError)
    assert (result.reason, result.suppress) == (Reason.ENDPOINT_GONE, True)


@pytest.mark.parametrize("answer", [Hang, Reset])
def test_what_was_not_answered_may_have_been_taken(peer, answer, monkeypatch):
    monkeypatch.setattr(WebhookChannel, "send_timeout", timedelta(seconds=0.4))

    assert isinstance(send(peer, answer()), AmbiguousError)


def test_more_than_20_kilobytes_are_not_sent(peer):
    result = send(peer, rendered=Rendered(title="", body="ü" * 10_240))

    assert isinstance(result, PermanentError)
    assert result.reason == Reason.TOO_LONG
    assert peer.calls == 0


@pytest.mark.parametrize("endpoint", [None, {}, {"url": ""}, {"url": 5}, {"endpoint": "https://example.com"}], ids=repr)
def test_without_a_url_nobody_is_asked(peer, endpoint):
    assert send(peer, endpoint=endpoint).reason == Reason.NO_ADDRESS
    assert peer.calls == 0


def test_a_url_inside_is_not_asked(peer, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PRIVATE_HOSTS": ()}

    with Server() as canary:
        for url in (canary.url, f"https://127.0.0.1:{canary.port}/", "https://2130706433/", "https://[::ffff:7f00:1]/"):
            result = send(peer, endpoint={"url": url})

            assert (result.code, result.reason) == ("bad_url", Reason.INVALID_ADDRESS)
    assert (canary.connections, peer.calls) == (0, 0)


@pytest.mark.parametrize(
    ("secrets", "wrong"),
    [
        ([], ["needs a secret"]),
        (["whsec_" + "a" * 32], []),
        (["whsec_" + "a" * 32, "whsec_abc"], ["secrets[1] is not whsec_ and 24 to 64 bytes in base64"]),
        (["a" * 32], ["secrets[0] is not whsec_ and 24 to 64 bytes in base64"]),
        (["whsec_" + "a" * 28], ["secrets[0] is not whsec_ and 24 to 64 bytes in base64"]),
        (["whsec_" + "a" * 92], ["secrets[0] is not whsec_ and 24 to 64 bytes in base64"]),
        (["whsec_ü" + "a" * 32], ["secrets[0] is not whsec_ and 24 to 64 bytes in base64"]),
    ],
    ids=repr,
)
def test_wrong_secrets_are_named_by_their_place(secrets, wrong):
    assert WebhookChannel(secrets=secrets).check() == wrong
