"""What the engine asks all the time, among many rows that are over: by the index made for it, whatever has piled up."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from notifications import ids
from notifications.maintenance import expirer, reclaimer, sweeper
from notifications.maintenance.lookout import Lookout
from notifications.models import Delivery, Event
from notifications.pipeline import claiming
from notifications.services import backlog
from notifications.types import Channel, DeliveryState, EventState, Priority
from tests.factories import make_template
from tests.plans import committed, drop_index, plans_of, reads_all, sorts

pytestmark = pytest.mark.django_db

#: Rows of each table that are over, that wait, and that somebody holds.
OVER, WAITING, HELD = 3000, 1200, 20
LEASE = timedelta(seconds=60)


@pytest.fixture(scope="module")
def many(django_db_setup, django_db_blocker):
    with committed(make_rows, django_db_blocker):
        yield


def make_rows():
    template = make_template("ORDER_CREATED")
    now = timezone.now()
    when = [now - timedelta(seconds=number) for number in range(OVER + WAITING + HELD)]
    Event.objects.bulk_create(
        [
            Event(template=template, recipients=["1"], priority=number % 4, created_at=at, due_at=at, **state)
            for number, (at, state) in enumerate(
                zip(when, _states(EventState.DISPATCHED, EventState.DISPATCHING, now), strict=True)
            )
        ]
    )
    Delivery.objects.bulk_create(
        [
            Delivery(
                template=template, channel=list(Channel)[number % 3], address=str(number), event_id=ids.uuid7(),
                priority=number % 4, created_at=at, due_at=at, **state,
            )
            for number, (at, state) in enumerate(
                zip(when, _states(DeliveryState.SENT, DeliveryState.SENDING, now), strict=True)
            )
        ]
    )  # fmt: skip


def _states(over, held, now):
    """Return columns for so many rows that are over, wait and are held."""
    lease = {"lease_token": uuid4(), "lease_until": now + LEASE}
    return (
        [{"state": over, "finished_at": now}] * OVER
        + [{"state": "pending"}] * WAITING
        + [{"state": held, **lease}] * HELD
    )


def claim(model, **options):
    claiming.claim(model, priorities=list(Priority), now=timezone.now(), lease=LEASE, limit=10, **options)


def look():
    jobs = {"sweeper": sweeper, "reclaimer": reclaimer, "expirer": expirer}
    Lookout({name: job.firsts() for name, job in jobs.items()}).waiting(timezone.now())


EVENTS, DELIVERIES = Event._meta.db_table, Delivery._meta.db_table
#: What is asked, of which table, by which index, and whether the rows come out in its order.
ASKED = {
    "the claim of events": (lambda: claim(Event), EVENTS, "event_claim", True),
    "the claim of deliveries": (lambda: claim(Delivery, channel="email"), DELIVERIES, "delivery_claim", True),
    "the sweeper, for events": (lambda: sweeper.due_actors(timezone.now()), EVENTS, "event_claim", False),
    "the sweeper, for deliveries": (lambda: sweeper.due_actors(timezone.now()), DELIVERIES, "delivery_claim", False),
    "the lookout, for events": (look, EVENTS, "event_reclaim", False),
    "the lookout, for deliveries": (look, DELIVERIES, "delivery_reclaim", False),
    "how late events are": (lambda: backlog.oldest_due(timezone.now()), EVENTS, "event_claim", False),
    "how late deliveries are": (lambda: backlog.oldest_due(timezone.now()), DELIVERIES, "delivery_claim", False),
    "leases of events that ran out": (
        lambda: claiming.reclaim(Event, now=timezone.now() + 2 * LEASE, limit=10), EVENTS, "event_reclaim", True,
    ),
    "leases of deliveries that ran out": (
        lambda: claiming.reclaim(Delivery, now=timezone.now() + 2 * LEASE, limit=10), DELIVERIES, "delivery_reclaim",
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "table", "index", "in_order"), ASKED.values(), ids=ASKED)
def test_it_goes_by_its_index(many, ask, table, index, in_order):
    plans = plans_of(ask, table=table)

    assert any(index in plan for _, plan in plans)
    for statement, plan in plans:
        assert not reads_all(plan, table=table), f"{statement}\n\n{plan}"
        assert not (in_order and sorts(plan)), f"{statement}\n\n{plan}"


@pytest.mark.parametrize("asked", ["the claim of events", "the claim of deliveries"])
def test_without_its_index_the_table_would_be_read(many, asked):
    """The other test can tell: nothing else serves the claim."""
    ask, table, index, _ = ASKED[asked]
    drop_index(index)

    assert any(reads_all(plan, table=table) or sorts(plan) for _, plan in plans_of(ask, table=table))
