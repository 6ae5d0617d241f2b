"""The queue: what each actor has before it and behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.services import queue
from notifications.services.queue import ActorQueue
from notifications.types import BroadcastState, DeliveryState, EventState, Priority
from tests.factories import make_broadcast
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def held():
    return {"lease_token": uuid4(), "lease_until": NOW + MINUTE}


def by_actor(now=NOW):
    return {line.actor: line for line in queue.queues(now=now)}


def test_every_actor_has_a_line_even_with_nothing_to_do():
    assert queue.queues(now=NOW) == [
        ActorQueue(actor=actor, waiting=0, delayed=0, active=0, completed=0, failed=0, oldest_due_at=None)
        for actor in (
            "dispatch_urgent",
            "dispatch_high",
            "dispatch_normal",
            "dispatch_low",
            "expand_broadcast",
            "deliver_email",
            "deliver_sms",
        )
    ]


def test_events_are_counted_by_priority(template):
    for changes in (
        {"due_at": NOW - MINUTE},
        {"due_at": NOW},
        {"due_at": NOW + MINUTE},
        {"state": EventState.DISPATCHING, **held()},
        {"state": EventState.DISPATCHED},
        {"state": EventState.FAILED},
        {"state": EventState.CANCELLED},
        {"state": EventState.EXPIRED},
    ):
        make_event(template, priority=Priority.HIGH, **changes)

    assert by_actor()["dispatch_high"] == ActorQueue(
        actor="dispatch_high", waiting=2, delayed=1, active=1, completed=1, failed=1, oldest_due_at=NOW - MINUTE
    )
    assert by_actor()["dispatch_low"].waiting == 0


def test_deliveries_are_counted_by_channel():
    for changes in (
        {"due_at": NOW - MINUTE, "priority": Priority.LOW},
        {"due_at": NOW - HOUR},
        {"due_at": NOW + MINUTE},
        {"state": DeliveryState.SENDING, **held()},
        {"state": DeliveryState.SENT},
        {"state": DeliveryState.DIGESTED},
        {"state": DeliveryState.FAILED},
        {"state": DeliveryState.UNKNOWN},
        {"state": DeliveryState.SUPPRESSED},
        {"state": DeliveryState.CANCELLED},
    ):
        make_delivery(channel="sms", **changes)
    make_delivery(channel="in_app", state=DeliveryState.SENT)

    assert by_actor()["deliver_sms"] == ActorQueue(
        actor="deliver_sms", waiting=2, delayed=1, active=1, completed=2, failed=2, oldest_due_at=NOW - HOUR
    )
    assert "deliver_in_app" not in by_actor()


def test_what_was_completed_more_than_a_day_ago_is_history(template, traveller):
    make_event(template, state=EventState.DISPATCHED)
    make_event(template, state=EventState.FAILED)
    make_delivery(state=DeliveryState.SENT)
    make_delivery(state=DeliveryState.FAILED)
    late = make_delivery(state=DeliveryState.PENDING)
    traveller.move_to(NOW + 20 * HOUR)
    type(late).objects.filter(pk=late.pk).update(state=DeliveryState.SENT, finished_at=NOW + 20 * HOUR)

    before, after = by_actor(NOW + 23 * HOUR), by_actor(NOW + 25 * HOUR)

    assert [(before[name].completed, before[name].failed) for name in ("dispatch_normal", "deliver_email")] == [
        (1, 1),
        (2, 1),
    ]
    assert [(after[name].completed, after[name].failed) for name in ("dispatch_normal", "deliver_email")] == [
        (0, 0),
        (1, 0),
    ]


def test_what_a_digest_has_collected_is_delayed():
    make_delivery(channel="email", due_at=NOW - MINUTE, digest_id=uuid4())
    make_delivery(channel="email", due_at=NOW + MINUTE)

    line = by_actor()["deliver_email"]

    assert (line.waiting, line.delayed, line.oldest_due_at) == (0, 2, None)


def test_audiences_are_counted_and_lists_are_nobodys_work(template):
    make_broadcast(template)
    make_broadcast(template, audience="everybody", due_at=NOW - MINUTE)
    make_broadcast(template, audience="everybody", due_at=NOW + MINUTE)
    make_broadcast(template, audience="everybody", state=BroadcastState.EXPANDING, **held())
    make_broadcast(template, audience="everybody", state=BroadcastState.EXPANDED, created_at=NOW)
    make_broadcast(template, audience="everybody", state=BroadcastState.FAILED, created_at=NOW)

    (line,) = (line for line in queue.queues(now=NOW) if line.actor == "expand_broadcast")

    assert (line.waiting, line.delayed, line.active, line.completed, line.failed) == (1, 1, 1, 1, 1)
    assert line.oldest_due_at == NOW - MINUTE


def test_what_has_been_due_longest_comes_first(template):
    make_event(template, priority=Priority.URGENT, due_at=NOW - MINUTE)
    make_event(template, priority=Priority.LOW, due_at=NOW - HOUR)
    make_delivery(channel="sms", due_at=NOW - 30 * MINUTE)
    make_delivery(channel="email", due_at=NOW + HOUR)

    assert [line.actor for line in queue.queues(now=NOW)] == [
        "dispatch_low",
        "deliver_sms",
        "dispatch_urgent",
        "dispatch_high",
        "dispatch_normal",
        "expand_broadcast",
        "deliver_email",
    ]


def test_work_left_behind_by_a_channel_that_was_taken_out_is_shown():
    make_delivery(channel="chat", due_at=NOW - HOUR)
    make_delivery(channel="webhook", state=DeliveryState.SENDING, **held())

    assert queue.queues(now=NOW)[0].actor == "deliver_chat"
    assert by_actor()["deliver_webhook"].active == 1


def test_it_costs_thirteen_statements_whatever_waits(template):
    for number in (1, 20):
        for _ in range(number):
            make_event(template)
            make_delivery()
        with CaptureQueriesContext(connection) as queries:
            queue.queues(now=NOW)

        assert len(queries) == 13
