"""Claim, render, send, settle: every try leaves a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail

from notifications.exceptions import AmbiguousError, MisconfiguredError, PermanentError, TransientError
from notifications.models import Attempt, Delivery, Event
from notifications.pipeline import claiming
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.pipeline.draining import places
from notifications.publishing import cancel_event, publish_notification
from notifications.types import DeliveryState, Outcome, Priority, Reason
from tests.adapters import Once, Scripted
from tests.factories import publish_version

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def dispatched(recipient, channel="email", **options):
    """Publish and dispatch; return the delivery."""
    published = publish_notification(
        "ORDER_CREATED", recipient=recipient, variables={"order_number": "ORD-1"}, channels=[channel], **options
    )
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    return Delivery.objects.get(event_id=published.id)


def deliver(channel="email"):
    return deliver_batch(channel, more=lambda: None)


def test_what_is_sent_is_rendered_addressed_and_settled(alice, template, use):
    adapter = use(Scripted())
    delivery = dispatched(alice, action_url="/orders/1/", action_text="View", priority="high")

    assert deliver() == 1

    (message,) = adapter.messages
    assert message.delivery_id == delivery.pk
    assert message.address == "alice@example.com"
    assert message.rendered.title == "Your order ORD-1"
    assert "Hello Alice, we have it." in message.rendered.body
    assert (message.action.url, message.priority, message.category) == ("/orders/1/", Priority.HIGH, "orders")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.attempts) == (DeliveryState.SENT, "", 1)
    assert (delivery.backend, delivery.provider_message_id) == ("Scripted", "p-1")
    assert delivery.sent_at is not None
    assert delivery.lease_token is None
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.outcome, attempt.backend) == (1, Outcome.SENT, "Scripted")
    assert deliver() == 0


def test_three_retries_come_after_two_four_and_eight_seconds_then_it_fails(alice, template, use, traveller):
    adapter = use(Scripted(*[TransientError(code="451")] * 4))
    delivery = dispatched(alice, "sms")
    tried_at = []
    for second in range(20):
        traveller.move_to(NOW + timedelta(seconds=second))
        if deliver("sms"):
            tried_at.append(second)

    assert tried_at == [0, 2, 6, 14]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.attempts) == (
        DeliveryState.FAILED,
        Reason.RETRIES_EXHAUSTED,
        4,
    )
    assert list(delivery.tries.values_list("number", "outcome", "code")) == [
        (number, Outcome.TRANSIENT, "451") for number in (1, 2, 3, 4)
    ]
    assert len({message.delivery_id for message in adapter.messages}) == 1


def test_an_email_goes_on_for_hours_before_it_fails(alice, template, use, traveller):
    use(Scripted(*[TransientError()] * 8))
    delivery = dispatched(alice)
    waits = []
    for _ in range(7):
        deliver()
        delivery.refresh_from_db()
        waits.append((delivery.due_at - datetime.now(UTC)).total_seconds())
        traveller.move_to(delivery.due_at)
    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.attempts) == (
        DeliveryState.FAILED,
        Reason.RETRIES_EXHAUSTED,
        8,
    )
    assert waits[:3] == [2, 4, 8]
    for wait, middle in zip(waits[3:], [60, 600, 3600, 21_600], strict=True):
        assert 0.8 * middle <= wait <= 1.2 * middle


def test_a_retry_waits_as_long_as_the_provider_asked(alice, template, use, traveller):
    use(Scripted(TransientError(retry_after=timedelta(seconds=7))))
    delivery = dispatched(alice)

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (DeliveryState.PENDING, Reason.RETRY)
    assert delivery.due_at == NOW + timedelta(seconds=7)


def test_the_retry_is_rung_for_in_time(alice, template, use, traveller, rung, django_capture_on_commit_callbacks):
    use(Scripted(TransientError()))
    dispatched(alice)

    with django_capture_on_commit_callbacks(execute=True):
        deliver()

    assert rung == [("deliver_email", 2.0)]


@pytest.mark.parametrize(
    ("result", "state", "reason", "outcome"),
    [
        (PermanentError(code="550"), DeliveryState.FAILED, Reason.REJECTED, Outcome.PERMANENT),
        (PermanentError(reason=Reason.NO_ADDRESS), DeliveryState.FAILED, Reason.NO_ADDRESS, Outcome.PERMANENT),
        (MisconfiguredError(), DeliveryState.PENDING, Reason.RETRY, Outcome.MISCONFIGURED),
        (AmbiguousError(), DeliveryState.PENDING, Reason.RETRY, Outcome.AMBIGUOUS),
        (OSError("alice@example.com unreachable"), DeliveryState.PENDING, Reason.RETRY, Outcome.TRANSIENT),
        (ZeroDivisionError(), DeliveryState.PENDING, Reason.RETRY, Outcome.AMBIGUOUS),
    ],
    ids=["refused", "refused with a reason", "misconfigured", "ambiguous", "not our error", "bug of the adapter"],
)
def test_each_error_has_its_consequence(alice, template, use, result, state, reason, outcome):
    use(Scripted(result))
    delivery = dispatched(alice)

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (state, reason)
    assert delivery.tries.get().outcome == outcome
    assert "alice@" not in delivery.last_error + delivery.tries.get().detail


@pytest.mark.parametrize("result", [AmbiguousError(), ZeroDivisionError()])
def test_an_at_most_once_channel_never_tries_again_after_an_unclear_end(alice, template, use, result):
    adapter = use(Once(result))
    delivery = dispatched(alice, "sms")

    deliver("sms")
    deliver("sms")

    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.UNKNOWN
    assert len(adapter.messages) == 1


def test_an_at_most_once_channel_tries_again_after_a_clear_refusal(alice, template, use, traveller):
    adapter = use(Once(TransientError()))
    delivery = dispatched(alice, "sms")
    deliver("sms")
    assert not Delivery.objects.filter(started_at__isnull=False).exists()

    traveller.shift(2)
    deliver("sms")

    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert delivery.started_at is not None
    assert len(adapter.messages) == 2


def test_an_at_most_once_channel_does_not_call_when_the_lease_is_gone(alice, template, use, monkeypatch):
    adapter = use(Once())
    dispatched(alice, "sms")
    monkeypatch.setattr(claiming, "stamp_started", lambda *_: False)

    deliver("sms")

    assert adapter.messages == []


def test_a_bug_of_the_adapter_costs_one_try_and_the_rest_goes_out(alice, bob, charlie, template, use):
    class Batches(Scripted):
        batch_size = 10

    adapter = use(Batches(ZeroDivisionError()))
    first, *others = [dispatched(person) for person in (alice, bob, charlie)]

    deliver()

    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {first.pk: DeliveryState.PENDING, **{row.pk: DeliveryState.SENT for row in others}}
    assert adapter.batches == [3, 2]


def test_an_adapter_that_gives_no_result_has_not_sent(alice, template, use):
    class Silent(Scripted):
        def send_batch(self, messages):
            yield from ()

    use(Silent())
    delivery = dispatched(alice)

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries.get().code) == (DeliveryState.PENDING, "no_result")


def test_a_batch_is_cut_to_what_the_adapter_takes(alice, bob, charlie, template, use):
    class Pairs(Scripted):
        batch_size = 2

    adapter = use(Pairs())
    for person in (alice, bob, charlie):
        dispatched(person)

    assert deliver() == 3

    assert adapter.batches == [2, 1]


def test_cancelled_after_the_claim_is_not_sent(alice, template, use, monkeypatch):
    adapter = use(Scripted())
    delivery = dispatched(alice)
    claim = claiming.claim

    def claim_then_cancel(*args, **options):
        claimed = claim(*args, **options)
        cancel_event(delivery.event_id)
        return claimed

    monkeypatch.setattr(claiming, "claim", claim_then_cancel)
    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, Reason.EVENT_CANCELLED)
    assert adapter.messages == []


@pytest.mark.parametrize("batch_size", [1, 10])
def test_cancelled_while_its_batch_is_being_sent_is_not_sent(
    alice, bob, charlie, template, use, monkeypatch, batch_size
):
    monkeypatch.setattr("notifications.pipeline.delivery.LOOK_AGAIN", 0.0)

    class Cancels(Scripted):
        def send_batch(self, messages):
            for result in super().send_batch(messages):
                cancel_event(second.event_id)
                yield result

    Cancels.batch_size = batch_size
    adapter = use(Cancels())
    first, second, third = (dispatched(person) for person in (alice, bob, charlie))

    deliver()

    assert [message.delivery_id for message in adapter.messages] == [first.pk, third.pk]
    assert dict(Delivery.objects.values_list("pk", "state")) == {
        first.pk: DeliveryState.SENT,
        second.pk: DeliveryState.CANCELLED,
        third.pk: DeliveryState.SENT,
    }


def test_a_row_whose_lease_was_lost_meanwhile_is_left_to_its_new_holder(alice, bob, template, use, monkeypatch):
    monkeypatch.setattr("notifications.pipeline.delivery.LOOK_AGAIN", 0.0)

    class Loses(Scripted):
        def send_batch(self, messages):
            Delivery.objects.filter(pk=second.pk).update(lease_token=first.pk)
            yield from super().send_batch(messages)

    adapter = use(Loses())
    first, second = dispatched(alice), dispatched(bob)

    deliver()

    assert [message.delivery_id for message in adapter.messages] == [first.pk]
    second.refresh_from_db()
    assert (second.state, second.lease_token) == (DeliveryState.SENDING, first.pk)
    assert second.tries.count() == 0


def test_a_late_message_expires_unsent(alice, template, use, traveller):
    adapter = use(Scripted())
    delivery = dispatched(alice, expires_in=timedelta(minutes=10))
    traveller.shift(601)

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (DeliveryState.EXPIRED, Reason.EXPIRED)
    assert adapter.messages == []


def test_when_the_event_is_gone_the_delivery_says_so(alice, template, use):
    adapter = use(Scripted())
    delivery = dispatched(alice)
    Event.objects.all().delete()

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, Reason.CONTENT_GONE)
    assert adapter.messages == []


def test_wording_that_cannot_be_rendered_fails_without_a_call(alice, template, use):
    publish_version(template, {("email", ""): {"title": "t", "body": "{{ missing }}"}})
    adapter = use(Scripted())
    delivery = dispatched(alice)

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, Reason.RENDER_ERROR)
    assert "missing" in delivery.last_error
    assert adapter.messages == []


def test_a_delivery_keeps_the_wording_it_was_planned_with(alice, template, use):
    adapter = use(Scripted())
    dispatched(alice)
    publish_version(template, {("email", ""): {"title": "New words", "body": "b"}})

    deliver()

    assert adapter.messages[0].rendered.title == "Your order ORD-1"


def test_a_worker_that_stops_puts_the_rest_back_untouched(alice, bob, template, use):
    class Stops(Scripted):
        def send_batch(self, messages):
            places.stopping.set()
            yield from super().send_batch(messages)

    use(Stops())
    first, second = dispatched(alice), dispatched(bob)

    deliver()

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.state == DeliveryState.SENT
    assert (second.state, second.attempts, second.claims, second.lease_token) == (DeliveryState.PENDING, 0, 0, None)


def test_a_worker_that_stops_within_a_batch_of_the_adapter_puts_the_rest_back(alice, bob, template, use):
    class StopsInBatch(Scripted):
        batch_size = 10

        def send_batch(self, messages):
            for result in super().send_batch(messages):
                places.stopping.set()
                yield result

    adapter = use(StopsInBatch())
    dispatched(alice)
    dispatched(bob)

    deliver()

    assert sorted(Delivery.objects.values_list("state", flat=True)) == [DeliveryState.PENDING, DeliveryState.SENT]
    assert len(adapter.messages) == 1


def test_a_lease_that_is_nearly_over_begins_nothing_more(alice, template, use, monkeypatch):
    adapter = use(Scripted())
    delivery = dispatched(alice)
    monkeypatch.setattr("notifications.pipeline.delivery.LEASE_MARGIN", 60.0)

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.claims, adapter.messages) == (DeliveryState.PENDING, 0, [])


def test_a_full_claim_asks_for_help_before_it_sends(alice, bob, charlie, template, use, settings):
    adapter = use(Scripted())
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "DELIVERY_BATCH": 2}
    for person in (alice, bob, charlie):
        dispatched(person)
    asked: list = []

    deliver_batch("email", more=lambda: asked.append(len(adapter.messages)))
    deliver_batch("email", more=lambda: asked.append(len(adapter.messages)))

    assert asked == [0]


def test_a_version_without_wording_for_the_channel_fails_without_a_call(alice, template, use):
    adapter = use(Scripted())
    delivery = dispatched(alice)
    Delivery.objects.update(version=publish_version(template, {("sms", ""): {"body": "x"}}))

    deliver()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, Reason.RENDER_ERROR)
    assert "no wording for email" in delivery.last_error
    assert adapter.messages == []


def test_who_lost_the_lease_writes_an_attempt_and_nothing_else(alice, template, use):
    class LosesLease(Scripted):
        def send_batch(self, messages):
            Delivery.objects.update(lease_token=messages[0].delivery_id)
            yield from super().send_batch(messages)

    use(LosesLease())
    delivery = dispatched(alice)

    deliver()

    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENDING
    assert delivery.attempts == 0
    assert delivery.tries.count() == 1


def test_in_app_and_email_arrive_by_the_real_adapters(alice, template):
    dispatched(alice)

    deliver()

    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"]
    assert sent.subject == "Your order ORD-1"
    assert sent.message().get_content_type() == "multipart/alternative"


def test_a_batch_costs_the_same_queries_to_prepare_whatever_its_size(
    alice, bob, charlie, template, use, django_assert_num_queries
):
    # 4 claims, events, users, settings, preferences, mutes, templates, suppressions; then 4 for each message: savepoint, attempt, settle, release.
    use(Scripted())
    dispatched(alice)
    deliver()
    for people, queries in (([alice], 11 + 4), ([alice, bob, charlie], 11 + 3 * 4)):
        for person in people:
            dispatched(person)
        with django_assert_num_queries(queries):
            deliver()
