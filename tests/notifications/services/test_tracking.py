"""What providers tell afterwards: once, in any order, and what follows for the address."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from notifications.channels.callbacks import Callback
from notifications.models import Delivery, ProviderEvent, Suppression
from notifications.services import tracking
from notifications.types import DeliveryState
from tests.factories import make_endpoint

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def sent(message_id, *, channel="email", address="alice@example.com", **changes):
    fields = {"state": DeliveryState.SENT, "sent_at": NOW, "finished_at": NOW, "created_at": NOW, "due_at": NOW}
    named = {"channel": channel, "address": address, "provider_message_id": message_id}
    return Delivery.objects.create(**{**fields, **named, **changes})


def told(kind, message_id="m-1", *, event_id="", at=NOW, **given):
    return Callback(
        provider_message_id=message_id, kind=kind, event_id=event_id or f"{message_id}:{kind}:{at}", at=at, **given
    )


def note(*callbacks, now=NOW + 60 * MINUTE, provider="postmark"):
    return tracking.note(callbacks, provider=provider, now=now)


def test_what_was_delivered_is_noted_and_stays_sent(alice, hear_feedback):
    row = sent("m-1", recipient=alice)

    assert note(told("delivered", at=NOW + MINUTE)) == 1

    row.refresh_from_db()
    assert (row.state, row.delivered_at) == (DeliveryState.SENT, NOW + MINUTE)
    assert hear_feedback == [(row.pk, "delivered")]
    assert not Suppression.objects.exists()


@pytest.fixture
def hear_feedback(connect):
    from notifications import signals

    heard = []
    connect(signals.feedback_received, lambda sender, **told: heard.append((told["delivery_id"], told["kind"])))
    return heard


def test_told_again_it_is_the_same_event(hear_feedback):
    sent("m-1")
    first = told("opened", event_id="e-1")

    assert note(first, first) == 1
    assert note(first) == 0

    assert ProviderEvent.objects.count() == 1
    assert len(hear_feedback) == 1


def test_the_same_id_of_another_provider_is_another_event():
    sent("m-1")

    assert note(told("opened", event_id="e-1")) == 1
    assert note(told("opened", event_id="e-1"), provider="sendgrid") == 1


def test_what_is_about_no_message_of_ours_is_dropped(django_assert_max_num_queries):
    sent("")
    sent("m-1")

    with django_assert_max_num_queries(3):
        assert note(told("bounced", "m-2", is_hard=True), told("bounced", "", is_hard=True)) == 0
    assert not ProviderEvent.objects.exists()
    assert not Suppression.objects.exists()


STORY = [
    told("delivered", at=NOW + MINUTE),
    told("opened", at=NOW + 2 * MINUTE),
    told("opened", at=NOW + 4 * MINUTE),
    told("bounced", at=NOW + 3 * MINUTE, is_hard=True, reason="5.1.1"),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_in_whatever_order_it_is_told_the_same_is_known(order):
    row = sent("m-1")

    for index in order:
        note(STORY[index])

    row.refresh_from_db()
    assert (row.delivered_at, row.opened_at, row.bounced_at) == (NOW + MINUTE, NOW + 2 * MINUTE, NOW + 3 * MINUTE)
    assert row.state == DeliveryState.SENT
    assert Suppression.objects.get().code == "5.1.1"


@pytest.mark.parametrize(
    ("callback", "reason"),
    [
        (told("bounced", is_hard=True), "hard_bounce"),
        (told("failed", is_hard=True), "hard_bounce"),
        (told("complained"), "complaint"),
        (told("unsubscribed"), "unsubscribed"),
        (told("bounced"), None),
        (told("failed"), None),
        (told("clicked", is_hard=True), None),
    ],
    ids=["hard bounce", "no such phone", "complaint", "unsubscribed", "soft bounce", "phone off", "click"],
)
def test_what_says_that_an_address_is_no_good_suppresses_it(alice, callback, reason):
    sent("m-1", recipient=alice)

    note(callback)

    found = [(row.reason, row.source, row.recipient) for row in Suppression.objects.all()]
    assert found == ([(reason, "provider", alice)] if reason else [])


def test_an_endpoint_is_disabled(alice):
    browser = make_endpoint(alice)
    sent("m-1", channel="web_push", address=browser.pk.hex)

    note(told("bounced", is_hard=True))

    browser.refresh_from_db()
    assert browser.disabled_at == NOW + 60 * MINUTE


def test_nothing_happened_in_the_future():
    row = sent("m-1")

    note(told("delivered", at=NOW + 600 * MINUTE), told("opened", at=None))

    row.refresh_from_db()
    assert row.delivered_at == row.opened_at == NOW + 60 * MINUTE


def test_an_id_of_any_length_is_known_again():
    sent("m-1")
    long = told("opened", event_id="e" * 300)

    assert note(long) == 1
    assert note(long) == 0


def test_any_number_of_events_costs_the_same(django_assert_max_num_queries):
    for number in range(40):
        sent(f"m-{number}", address=f"p{number}@example.com")
    every = [told("bounced", f"m-{number}", is_hard=True) for number in range(40)]

    with django_assert_max_num_queries(12):
        assert note(*every) == 40
    assert Suppression.objects.count() == 40
