"""Legacy producers keep working: raw address, raw text, the same engine."""

from __future__ import annotations

from uuid import UUID, uuid4

import dramatiq
import pytest
from django.core import mail

from notifications.exceptions import TransientError
from notifications.models import Attempt, Delivery
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.direct import accept
from notifications.types import Channel, DeliveryState, Reason
from tests.adapters import Scripted

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:SEND_:DeprecationWarning")]

EMAIL = {"to": "old@example.com", "subject": "Hello", "text": "An old way.", "html": "<p>An old way.</p>"}


def take(channel, payload, message_id=None):
    return accept(Channel(channel), payload, message_id=message_id or uuid4())


def deliver(channel="email"):
    return deliver_batch(channel, more=lambda: None)


def test_a_legacy_email_is_sent_as_it_is():
    assert take("email", EMAIL) == DeliveryState.PENDING

    deliver()

    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.body) == (["old@example.com"], "Hello", "An old way.")
    assert "<p>An old way.</p>" in str(sent.message())
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.recipient, delivery.event_id) == (DeliveryState.SENT, None, None)
    assert Attempt.objects.get().delivery == delivery


def test_a_legacy_text_message_is_sent_as_it_is(fake_sms):
    take("sms", {"phone": "+4915550001001", "message": "Hello"})

    deliver("sms")

    assert [(message.address, message.rendered.body) for message in fake_sms] == [("+4915550001001", "Hello")]


def test_a_legacy_event_is_retried_like_any_other(use):
    use(Scripted(TransientError()))
    take("email", EMAIL)

    deliver()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason, delivery.attempts) == (DeliveryState.PENDING, Reason.RETRY, 1)


def test_a_message_handed_over_twice_is_one_delivery():
    message_id = uuid4()
    take("email", EMAIL, message_id)
    deliver()
    take("email", EMAIL, message_id)
    deliver()

    assert Delivery.objects.get().pk == message_id
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (None, "is a NoneType"),
        ("text", "is a str"),
        ({}, "no address"),
        ({"to": "  ", "text": "x"}, "no address"),
        ({"to": "a@example.com"}, "nothing to say"),
        ({"to": ["a@example.com"], "text": "x"}, "`to` is a list"),
        ({"to": "a@example.com", "text": 42}, "`text` is a int"),
        ({"to": "a@example.com", "text": "\x00"}, "NUL"),
        ({"to": "a@example.com", "text": "\ud800"}, "surrogate"),
        ({"to": "a@example.com", "text": "x" * 200_001}, "at most 200000"),
    ],
    ids=["none", "text", "empty", "blank", "no words", "list", "number", "nul", "surrogate", "long"],
)
def test_a_payload_that_cannot_be_used_is_a_failed_row_and_not_a_lost_message(payload, words):
    assert take("email", payload) == DeliveryState.FAILED

    delivery = Delivery.objects.get()
    assert delivery.reason == Reason.BAD_PAYLOAD
    assert words in delivery.last_error
    assert deliver() == 0


def test_it_says_that_it_is_deprecated():
    with pytest.warns(DeprecationWarning, match="publish_notification instead"):
        take("email", EMAIL)


@pytest.mark.parametrize(("actor", "channel"), [("SEND_EMAIL", "email"), ("SEND_SMS", "sms")])
def test_the_actors_take_one_object_or_named_fields(actor, channel):
    declared = dramatiq.get_broker().get_actor(actor)

    declared.fn({"to": "+4915550001001", "text": "one"})
    declared.fn(to="+4915550001001", text="two")

    assert declared.queue_name == "legacy"
    assert sorted(row.content["body"] for row in Delivery.objects.filter(channel=channel) if row.content) == [
        "one",
        "two",
    ]
    assert all(isinstance(row.pk, UUID) for row in Delivery.objects.all())
