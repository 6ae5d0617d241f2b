"""The lookout names the jobs that have something to do, and no others, by one statement."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import dramatiq
import pytest
from django.db import DatabaseError
from django.utils import timezone

from notifications import signals
from notifications.maintenance.lookout import Lookout
from notifications.models import Digest, Erasure
from notifications.types import BroadcastState, DeliveryState, DigestState, EventState
from notifications.worker import Clock
from tests.factories import make_broadcast, make_item
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    """A clock that is never started: it only knows its jobs."""
    return Clock(dramatiq.Worker(dramatiq.get_broker()), ends_process=False)


def named(clock, now):
    return Lookout({job.name: job.firsts for job in clock._jobs if job.firsts}).waiting(now)


def lease(until):
    return {"lease_token": uuid4(), "lease_until": until}


#: Job, and what makes a row of which `until` says when it has something to do.
ROWS = {
    "events due": ("sweeper", lambda alice, template, until: make_event(template, due_at=until)),
    "deliveries due": ("sweeper", lambda alice, template, until: make_delivery(channel="sms", due_at=until)),
    "broadcasts due": (
        "sweeper", lambda alice, template, until: make_broadcast(template, audience="everybody", due_at=until),
    ),
    "broadcasts under way": ("progress", lambda alice, template, until: make_broadcast(template, due_at=until)),
    "events held": (
        "reclaimer",
        lambda alice, template, until: make_event(template, state=EventState.DISPATCHING, **lease(until)),
    ),
    "deliveries held": (
        "reclaimer", lambda alice, template, until: make_delivery(state=DeliveryState.SENDING, **lease(until)),
    ),
    "broadcasts held": (
        "reclaimer",
        lambda alice, template, until: make_broadcast(template, state=BroadcastState.EXPANDING, **lease(until)),
    ),
    "events that end": (
        "expirer", lambda alice, template, until: make_event(template, due_at=until + HOUR, expires_at=until),
    ),
    "deliveries that end": (
        "expirer", lambda alice, template, until: make_delivery(due_at=until + HOUR, expires_at=until),
    ),
    "what is snoozed": ("snoozes", lambda alice, template, until: make_item(alice, template, snoozed_until=until)),
    "digests": (
        "digests",
        lambda alice, template, until: Digest.objects.create(
            recipient=alice, channel="email", category=template.category, key="k", opened_at=until, due_at=until
        ),
    ),
    "erasures": (
        "erasures", lambda alice, template, until: Erasure.objects.create(recipient_key="1", requested_at=until),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "make"), ROWS.values(), ids=ROWS)
def test_a_job_is_named_from_the_moment_its_first_row_is_due(clock, alice, template, name, make):
    now = timezone.now()
    make(alice, template, now + HOUR)

    assert named(clock, now) == set()
    assert name in named(clock, now + 1.5 * HOUR)


def test_every_job_that_is_watched_has_a_row_above(clock):
    assert {job.name for job in clock._jobs if job.firsts} == {name for name, _ in ROWS.values()}


def test_what_is_over_is_nobodys_work(clock, alice, template):
    now = timezone.now()
    make_event(template, state=EventState.DISPATCHED, expires_at=now)
    make_delivery(state=DeliveryState.SENT, expires_at=now)
    make_broadcast(template, completed_at=now)
    make_item(alice, template)
    Digest.objects.create(
        recipient=alice, channel="email", category=template.category, key="k", opened_at=now, due_at=now,
        state=DigestState.EMPTY, closed_at=now,
    )  # fmt: skip

    assert named(clock, now + HOUR) == set()


def test_it_asks_one_statement_every_time(clock, template, django_assert_num_queries):
    lookout = Lookout({job.name: job.firsts for job in clock._jobs if job.firsts})
    make_event(template)

    for _ in range(2):
        with django_assert_num_queries(1):
            assert lookout.waiting(timezone.now()) == {"sweeper"}


def test_a_clock_with_nothing_to_do_runs_only_what_cannot_be_known(clock):
    assert {job.name for job in clock._to_do(timezone.now())} == {
        "heartbeat",
        "heartbeats",
        "pauses",
        "pruner",
        "rollup",
    }


def test_a_clock_that_cannot_look_runs_everything(clock, monkeypatch, hear):
    told = hear(signals.clock_failed, "job")

    def fail(now):
        raise DatabaseError

    monkeypatch.setattr(clock._lookout, "waiting", fail)

    assert clock._to_do(timezone.now()) == list(clock._jobs)
    assert told == ["lookout"]
