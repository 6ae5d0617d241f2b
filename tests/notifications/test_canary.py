"""An address on its way through every failure: nowhere in the log, and in no column but those of addresses."""

from __future__ import annotations

import json
import logging
from collections import deque
from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import conf, registry
from notifications.channels import fake
from notifications.exceptions import AmbiguousError, PermanentError, ThrottledError, TransientError
from notifications.models import Delivery, RecipientSettings, Suppression
from notifications.pipeline import links
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services.explain import explain
from notifications.types import DeliveryState, Priority, Reason
from tests import adapters
from tests.adapters import Scripted
from tests.canary import ADDRESS_COLUMNS, hits_in_database
from tests.factories import CONTENTS, make_endpoint, make_template
from tests.notifications.webhooks.test_esp import HARD, MESSAGE, SECRET, tell
from tests.smtp import SmtpServer

pytestmark = pytest.mark.django_db

EMAIL, PHONE, TOKEN = "zzpii-7f3a@x.test", "+4915551234567", "zzpii-token-7f3a"
CANARIES = ("zzpii", "15551234567")


@pytest.fixture
def canary(django_user_model):
    """Somebody with an address of each kind, all of which are easy to find again."""
    user = django_user_model.objects.create_user("somebody", email=EMAIL)
    RecipientSettings.objects.create(recipient=user, phone=PHONE)
    url = f"https://updates.push.services.mozilla.com/wpush/v2/{TOKEN}"
    make_endpoint(user, address={"endpoint": url, "keys": {"p256dh": TOKEN, "auth": TOKEN}})
    return user


@pytest.fixture
def everywhere(db):
    return make_template("ORDER_CREATED", contents={**CONTENTS, ("web_push", ""): {"title": "Order", "body": "Here"}})


def publish(user):
    publish_notification("ORDER_CREATED", recipient=user, variables={"order_number": "ORD-1"})
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def deliver_all():
    for channel in conf.channels():
        Delivery.objects.filter(state=DeliveryState.PENDING).update(due_at=timezone.now() - timedelta(seconds=1))
        while deliver_batch(channel, more=lambda: None):
            pass


def check(caplog, *, besides=()):
    """Look into the database, and into the log with its traces, less what these loggers of others say."""
    assert hits_in_database(CANARIES) == set()
    told = [caplog.handler.format(record) for record in caplog.records if record.name not in besides]
    assert told
    assert [line for line in told if any(text in line for text in CANARIES)] == []


def test_the_address_is_where_addresses_belong(canary, everywhere):
    """Or else nothing would be found below."""
    publish(canary)

    ADDRESS_COLUMNS.difference_update({"notifications_delivery.address"})
    try:
        assert hits_in_database(CANARIES) == {"notifications_delivery.address"}
    finally:
        ADDRESS_COLUMNS.add("notifications_delivery.address")


@pytest.mark.parametrize(
    "result",
    [
        TransientError(code="451"),
        ThrottledError(code="429"),
        AmbiguousError(code="timeout"),
        PermanentError(code="550", reason=Reason.HARD_BOUNCE, suppress=True),
        PermanentError(code="552"),
        ZeroDivisionError(f"{EMAIL} {PHONE} {TOKEN}"),
    ],
    ids=["try later", "too many", "no answer", "dead", "refused", "a bug"],
)
def test_whatever_an_adapter_says(canary, everywhere, settings, caplog, result):
    in_use = {"BACKEND": "tests.adapters.in_use"}
    settings.NOTIFICATION_CHANNELS = dict.fromkeys(("email", "sms", "web_push"), in_use)
    adapters.use(Scripted(*[result] * 50))
    caplog.set_level(logging.DEBUG)

    publish(canary)
    for _ in range(4):
        deliver_all()
    publish(canary)
    deliver_all()

    check(caplog)
    told = str(explain(canary, "ORDER_CREATED", now=timezone.now()))
    assert [text for text in CANARIES if text in told] == []


@pytest.fixture
def smtp(settings):
    with SmtpServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server
        registry.adapter("email").close()


@pytest.mark.parametrize("answer", ["450 4.2.1 <{}> busy", "550 5.1.1 <{}> unknown", "552 <{}> full"])
def test_whatever_a_mail_server_says(canary, everywhere, fake_sms, smtp, caplog, answer):
    smtp.mailbox.answers[EMAIL].extend([answer.format(EMAIL)] * 9)
    fake._failures[PHONE] = deque(["permanent"])
    caplog.set_level(logging.DEBUG)

    publish(canary)
    for _ in range(4):
        deliver_all()

    assert smtp.mailbox.tries
    # The server's own.
    check(caplog, besides={"mail.log"})


@pytest.mark.parametrize(
    "body",
    [HARD, {**HARD, "Email": EMAIL, "Description": EMAIL, "Details": EMAIL}, EMAIL.encode(), f'{{"{EMAIL}"'.encode()],
    ids=["bounce", "with the address", "no JSON", "broken"],
)
def test_whatever_comes_back(client, canary, everywhere, settings, caplog, body):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    now = timezone.now()
    Delivery.objects.create(
        channel="email", address=EMAIL, recipient=canary, provider_message_id=MESSAGE,
        state=DeliveryState.SENT, sent_at=now, finished_at=now, created_at=now, due_at=now,
    )  # fmt: skip
    caplog.set_level(logging.DEBUG)

    tell(client, body)
    tell(client, {"events": [{"message_id": EMAIL, "kind": "bounced"}]}, provider="relay")
    tell(client, body, secret=SECRET[:-1])
    token = links.Link(recipient=str(canary.pk), category="orders", channel="email").token
    client.post(f"/n/unsubscribe/{token}/", {"do": "unsubscribe"})
    client.get(f"/n/unsubscribe/{EMAIL}/")
    publish(canary)

    assert Suppression.objects.exists() == isinstance(body, dict)
    # Django itself names the path of what was not found, which nobody got from us.
    check(caplog, besides={"django.request"})


def test_what_a_callback_cannot_read_does_not_stand_in_a_trace(client, settings, caplog):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}

    tell(client, json.dumps([EMAIL]).encode())

    assert "zzpii" not in caplog.text
