"""The sweeper finds what is due, and costs the same however much waits."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from notifications.maintenance import reclaimer, sweeper
from notifications.models import Delivery, Event
from notifications.types import DeliveryState, EventState, Priority
from tests.factories import make_broadcast
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db


def test_it_names_each_actor_with_something_due_most_urgent_first(template):
    now = timezone.now()
    make_event(template, priority=Priority.LOW)
    make_event(template, priority=Priority.URGENT)
    make_event(template, priority=Priority.HIGH, due_at=now + timedelta(hours=1))
    make_event(template, priority=Priority.NORMAL, state=EventState.DISPATCHED)
    make_delivery(channel="sms", priority=Priority.LOW)
    make_delivery(channel="email", state=DeliveryState.SENT)

    assert sweeper.due_actors(timezone.now()) == ["dispatch_urgent", "dispatch_low", "deliver_sms"]


def test_an_audience_that_is_due_is_found(template):
    make_broadcast(template, audience="everybody", due_at=timezone.now() + timedelta(hours=1))
    assert sweeper.due_actors(timezone.now()) == []

    make_broadcast(template, audience="everybody")

    assert sweeper.due_actors(timezone.now()) == ["expand_broadcast"]


def test_what_a_digest_has_collected_is_not_delivered_on_its_own():
    make_delivery(channel="sms", digest_id=uuid4())

    assert sweeper.due_actors(timezone.now()) == []


def test_with_nothing_due_it_names_nobody():
    assert sweeper.due_actors(timezone.now()) == []


def test_a_round_costs_one_query_however_many_wait(template, django_assert_num_queries):
    for _ in range(20):
        make_event(template)

    with django_assert_num_queries(1):
        sweeper.due_actors(timezone.now())


def test_the_reclaimer_frees_events_and_deliveries_at_most_so_many(template):
    past = timezone.now() - timedelta(minutes=5)
    for _ in range(3):
        held = {"lease_token": "9e107d9d-372b-4b68-a5d1-0c2e8f3d7c11", "lease_until": past}
        make_event(template, state=EventState.DISPATCHING, **held)
        make_delivery(state=DeliveryState.SENDING, **held)

    assert reclaimer.run_once(timezone.now(), 2) == 4
    assert reclaimer.run_once(timezone.now(), 2) == 2
    assert Event.objects.filter(state=EventState.PENDING).count() == 3
    assert Delivery.objects.filter(state=DeliveryState.PENDING).count() == 3
