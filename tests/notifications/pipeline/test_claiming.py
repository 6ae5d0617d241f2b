"""Who may write a row: every guard, on the database the tests run with."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from notifications.models import Delivery, Event
from notifications.pipeline import cancelling, claiming
from notifications.types import DeliveryState, EventState, Priority, Reason

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=60)
ALL = list(Priority)


def make_event(template, **changes):
    now = timezone.now()
    over = changes.get("state", "pending") not in {EventState.PENDING, EventState.DISPATCHING}
    times = {"created_at": now, "due_at": now, "finished_at": now if over else None}
    fields = {"template": template, "recipients": ["1"], **times, **changes}
    return Event.objects.create(**fields)


def make_delivery(**changes):
    now = timezone.now()
    over = changes.get("state", "pending") not in {DeliveryState.PENDING, DeliveryState.SENDING}
    times = {"created_at": now, "due_at": now, "finished_at": now if over else None}
    return Delivery.objects.create(**{"channel": "email", "address": str(uuid4()), **times, **changes})


def claim_events(**changes):
    options = {"priorities": ALL, "now": timezone.now(), "lease": LEASE, "limit": 10, **changes}
    return claiming.claim(Event, **options)


def claim_deliveries(**changes):
    options = {"priorities": ALL, "now": timezone.now(), "lease": LEASE, "limit": 10, "channel": "email", **changes}
    return claiming.claim(Delivery, **options)


def test_a_claim_takes_the_highest_priority_first_and_the_oldest_within_it(template):
    now = timezone.now()
    low = make_event(template, priority=Priority.LOW, due_at=now - timedelta(hours=2))
    newer = make_event(template, priority=Priority.HIGH, due_at=now - timedelta(minutes=1))
    older = make_event(template, priority=Priority.HIGH, due_at=now - timedelta(minutes=2))
    urgent = make_event(template, priority=Priority.URGENT)

    assert [row.pk for row in claim_events(limit=3).rows] == [urgent.pk, older.pk, newer.pk]
    assert [row.pk for row in claim_events().rows] == [low.pk]


def test_a_claim_leaves_what_is_not_due_held_over_or_of_another_channel(template):
    make_event(template, due_at=timezone.now() + timedelta(seconds=5))
    for state in (EventState.DISPATCHED, EventState.CANCELLED, EventState.EXPIRED, EventState.FAILED):
        make_event(template, state=state)
    make_delivery(channel="sms")

    assert claim_events().rows == []
    assert claim_deliveries().rows == []


def test_a_claimed_row_carries_its_lease_and_is_nobody_elses(template):
    event = make_event(template, variables={"a": [1]})
    now = timezone.now()

    claim = claim_events(now=now)

    assert claim.rows[0].variables == {"a": [1]}
    event.refresh_from_db()
    assert event.state == EventState.DISPATCHING
    assert (event.lease_token, event.lease_until, event.claims) == (claim.token, now + LEASE, 1)
    assert claim_events().rows == []


def test_a_claim_says_whether_it_was_full(template):
    for _ in range(3):
        make_event(template)

    assert claim_events(limit=2).full
    assert not claim_events(limit=2).full


def test_a_row_claimed_three_times_comes_alone_when_nothing_else_is_due(template):
    suspect = make_event(template, claims=3, priority=Priority.URGENT)
    innocent = make_event(template)

    assert [row.pk for row in claim_events().rows] == [innocent.pk]
    assert [row.pk for row in claim_events().rows] == [suspect.pk]


def test_settling_needs_the_token_and_lets_go(template):
    event = make_event(template)
    claim = claim_events()
    now = timezone.now()

    assert not claiming.settle(Event, event.pk, uuid4(), now=now, state=EventState.DISPATCHED)
    assert claiming.settle(Event, event.pk, claim.token, now=now, state=EventState.DISPATCHED)
    assert not claiming.settle(Event, event.pk, claim.token, now=now, state=EventState.FAILED)

    event.refresh_from_db()
    assert (event.state, event.lease_token, event.lease_until, event.claims) == (EventState.DISPATCHED, None, None, 0)
    assert event.finished_at == now


def test_releasing_puts_rows_back_as_if_they_had_not_been_claimed(template):
    event = make_event(template, claims=1)
    claim = claim_events()

    assert claiming.release(Event, [event.pk], uuid4()) == 0
    assert claiming.release(Event, [event.pk], claim.token) == 1

    event.refresh_from_db()
    assert (event.state, event.lease_token, event.claims) == (EventState.PENDING, None, 1)


def test_reclaiming_frees_only_leases_that_ran_out(template):
    event, delivery = make_event(template), make_delivery()
    claim_events()
    claim_deliveries()
    now = timezone.now()

    assert claiming.reclaim(Event, now=now, limit=10) == 0
    assert claiming.reclaim(Delivery, now=now, limit=10) == 0
    assert claiming.reclaim(Event, now=now + 2 * LEASE, limit=10) == 1
    assert claiming.reclaim(Delivery, now=now + 2 * LEASE, limit=10) == 1

    event.refresh_from_db()
    delivery.refresh_from_db()
    assert (event.state, event.claims) == (EventState.PENDING, 1)
    assert (delivery.state, delivery.claims) == (DeliveryState.PENDING, 1)


def test_a_call_that_had_begun_becomes_unknown_when_reclaimed():
    delivery = make_delivery()
    claim = claim_deliveries()
    assert not claiming.stamp_started(delivery.pk, uuid4(), timezone.now())
    assert claiming.stamp_started(delivery.pk, claim.token, timezone.now())

    claiming.reclaim(Delivery, now=timezone.now() + 2 * LEASE, limit=10)

    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.UNKNOWN


def test_a_row_that_keeps_killing_its_worker_fails_after_ten_claims(template):
    event, delivery = make_event(template, claims=9), make_delivery(claims=9)
    claim_events()
    claim_deliveries()

    claiming.reclaim(Event, now=timezone.now() + 2 * LEASE, limit=10)
    claiming.reclaim(Delivery, now=timezone.now() + 2 * LEASE, limit=10)

    event.refresh_from_db()
    delivery.refresh_from_db()
    assert (event.state, event.last_error) == (EventState.FAILED, Reason.WORKER_CRASHED)
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, Reason.WORKER_CRASHED)


def test_whoever_lost_the_lease_can_neither_settle_release_nor_stamp(template):
    event, delivery = make_event(template), make_delivery()
    old_event, old_delivery = claim_events(), claim_deliveries()
    later = timezone.now() + 2 * LEASE
    claiming.reclaim(Event, now=later, limit=10)
    claiming.reclaim(Delivery, now=later, limit=10)
    claim_events()
    claim_deliveries()

    assert not claiming.settle(Event, event.pk, old_event.token, now=later, state=EventState.FAILED)
    assert not claiming.settle(Delivery, delivery.pk, old_delivery.token, now=later, state=DeliveryState.FAILED)
    assert claiming.release(Delivery, [delivery.pk], old_delivery.token) == 0
    assert not claiming.stamp_started(delivery.pk, old_delivery.token, later)


def test_cancelling_an_event_that_is_being_dispatched_takes_it_from_its_holder(template):
    event = make_event(template)
    claim = claim_events()

    assert cancelling.cancel(event.pk, now=timezone.now())

    with transaction.atomic():
        assert not claiming.held(Event, [event.pk], claim.token).exists()


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SUPPRESSED])
def test_cancelling_a_dispatched_event_calls_back_only_what_waits(template, state):
    event = make_event(template, state=EventState.DISPATCHED)
    waiting, done = make_delivery(event_id=event.pk), make_delivery(event_id=event.pk, state=state)

    assert cancelling.cancel(event.pk, now=timezone.now())

    waiting.refresh_from_db()
    done.refresh_from_db()
    event.refresh_from_db()
    assert (waiting.state, waiting.reason) == (DeliveryState.CANCELLED, Reason.EVENT_CANCELLED)
    assert done.state == state
    assert event.state == EventState.DISPATCHED
    assert event.cancelled_at is not None


def test_the_database_itself_refuses_a_held_row_without_a_lease(template):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_event(template, state=EventState.DISPATCHING)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_delivery(state=DeliveryState.PENDING, lease_token=uuid4())


@pytest.mark.django_db(transaction=True)
def test_threads_that_claim_at_once_never_get_the_same_row(template):
    number = 60
    pks = {make_event(template, priority=index % 4).pk for index in range(number)}
    claimed: list = []
    errors: list = []

    def work():
        try:
            while rows := claim_events(limit=5).rows:
                claimed.extend(row.pk for row in rows)
        except Exception as e:  # noqa: BLE001 - a thread's error would be lost
            errors.append(e)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert Counter(claimed) == Counter(pks)


def test_the_claim_uses_its_partial_index(template):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL goes by the size of the tables; SQLite is asked")
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM notifications_event WHERE state = 'pending' AND priority = 0 "
            "AND due_at <= '2026-01-01' AND claims < 3 ORDER BY due_at LIMIT 5"
        )
        plan = " ".join(str(row) for row in cursor.fetchall())

    assert "event_claim" in plan
    assert "TEMP B-TREE" not in plan


def test_a_failed_event_that_is_cancelled_is_not_to_be_sent_round_again(template):
    event = make_event(template, state=EventState.FAILED)

    cancelling.cancel(event.pk, now=timezone.now())

    event.refresh_from_db()
    assert event.state == EventState.FAILED
    assert event.cancelled_at is not None


def test_an_event_can_be_moved_until_it_is_claimed(template):
    event, later = make_event(template), timezone.now() + timedelta(days=400)

    assert cancelling.reschedule(event.pk, due_at=later)
    assert claim_events().rows == []
    assert cancelling.reschedule(event.pk, due_at=timezone.now())
    assert [row.pk for row in claim_events().rows] == [event.pk]
    assert not cancelling.reschedule(event.pk, due_at=later)
