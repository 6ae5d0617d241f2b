"""From what people registered to what stands in the log: the whole way, with servers on loopback."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers

from notifications import registry
from notifications.channels import webhook
from notifications.models import Attempt, Delivery, Endpoint
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.types import DeliveryState, Outcome, Priority, Reason
from tests.factories import make_template
from tests.notifications.channels.conformance import CANARY
from tests.providers.server import Answer, Close, Reset, Server, said

pytestmark = pytest.mark.django_db

SECRET = "whsec_" + "a" * 32
CHANNELS: dict[str, dict[str, Any]] = {
    "webhook": {"BACKEND": "notifications.channels.webhook.WebhookChannel", "OPTIONS": {"secrets": [SECRET]}},
    "chat": {"BACKEND": "notifications.channels.chat.ChatChannel", "OPTIONS": {"hosts": {"127.0.0.1": "slack"}}},
    "sms": {
        "BACKEND": "notifications.channels.twilio.TwilioSms",
        "OPTIONS": {"account_sid": "AC1", "auth_token": f"token-{CANARY}", "from_": "Shop"},
    },
}


@pytest.fixture
def server(settings):
    with Server() as server:
        channels = {name: dict(declared) for name, declared in CHANNELS.items()}
        channels["sms"]["OPTIONS"] = {**CHANNELS["sms"]["OPTIONS"], "base_url": server.url}
        settings.NOTIFICATION_CHANNELS = channels
        settings.NOTIFICATIONS = {
            **settings.NOTIFICATIONS,
            "PRIVATE_HOSTS": ("127.0.0.1",),
            "RETRY_DELAYS": [3600],
            "RETRY_TAILS": {},
        }
        yield server
        for name in channels:
            registry.adapter(name).close()


@pytest.fixture
def told(alice, server):
    """Make a template and an endpoint of Alice's; return what publishes to her and sends."""
    words = {(channel, ""): {"title": "Order", "body": "Order {{ order_number }} is here."} for channel in CHANNELS}
    words["sms", ""].pop("title")
    make_template("ORDER_SHIPPED", contents=words)

    def tell(channel):
        if channel != "sms":
            address = {"url": f"{server.url}/{CANARY}"}
            alice.notification_endpoints.create(
                channel=channel, address=address, address_hash=channel, created_at=alice.date_joined
            )
        publish_notification("ORDER_SHIPPED", recipient=alice, variables={"order_number": "ORD-1"}, channels=[channel])
        while dispatch_batch(Priority.LOW, more=lambda: None):
            pass
        deliver_batch(channel, more=lambda: None)
        return Delivery.objects.get(channel=channel)

    return tell


def test_a_receiver_can_check_what_it_gets_by_the_key_it_was_told(told, server):
    delivery = told("webhook")

    endpoint = Endpoint.objects.get()
    (asked,) = server.requests
    assert (delivery.state, delivery.provider_message_id) == (DeliveryState.SENT, delivery.pk.hex)
    assert asked.headers["webhook-id"] == delivery.pk.hex
    key = webhook.secret_of(endpoint.pk.hex, SECRET)
    timestamp = int(asked.headers["webhook-timestamp"])
    assert asked.headers["webhook-signature"] == webhook.signature(key, delivery.pk.hex, timestamp, asked.body)
    assert asked.json()["data"]["notification_id"] == delivery.notification_id.hex
    assert asked.json()["data"]["body"] == "Order ORD-1 is here."


def test_a_room_is_told(told, server):
    assert told("chat").state == DeliveryState.SENT
    assert json.dumps(server.requests[0].json()).count("Order ORD-1 is here.") == 1


@pytest.mark.parametrize(("channel", "status"), [("webhook", 410), ("chat", 404)])
def test_an_endpoint_that_is_gone_is_disabled(told, server, channel, status):
    server.answers.append(Answer(status, b"gone"))

    delivery = told(channel)

    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, Reason.ENDPOINT_GONE)
    assert Endpoint.objects.get().disabled_at is not None


def test_a_text_message_that_was_not_answered_is_left_to_a_person(told, server):
    server.answers.append(Reset())

    assert told("sms").state == DeliveryState.UNKNOWN
    assert len(server.requests) == 1


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "answer",
    [
        lambda: said(400, {"code": 21211, "message": f"{CANARY} +4915550001001"}),
        lambda: Answer(400, f"{CANARY} +4915550001001".encode()),
        lambda: said(401, {"code": f"+4915550001001 {CANARY}"}),
        lambda: Answer(410, CANARY.encode()),
        lambda: Answer(429, CANARY.encode(), {"Retry-After": CANARY}),
        lambda: Answer(500, CANARY.encode()),
        lambda: said(302, Location=f"https://example.com/{CANARY}"),
        Reset,
        Close,
        Answer,
    ],
    ids=["number", "text", "login", "gone", "busy", "down", "elsewhere", "reset", "closed", "sent"],
)
def test_no_address_and_no_secret_is_logged_or_kept_elsewhere(told, server, channel, answer, caplog):
    caplog.set_level(logging.DEBUG)
    server.answers.append(answer())

    delivery = told(channel)

    assert len(server.requests) == 1
    assert Attempt.objects.get().outcome in Outcome.values
    assert CANARY not in caplog.text
    assert "+4915550001001" not in caplog.text
    kept = ""
    for model in apps.get_app_config("notifications").get_models():
        for row in json.loads(serializers.serialize("json", model._default_manager.all())):
            # Where addresses belong.
            for column in ("address", "phone"):
                row["fields"].pop(column, None)
            kept += json.dumps(row)
    assert str(delivery.pk) in kept
    assert CANARY not in kept
    assert "+4915550001001" not in kept
