"""What is too late ends, also while it waits for a later try."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.maintenance import expirer
from notifications.models import Delivery, Event
from notifications.types import DeliveryState, EventState, Reason
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

LATER, EARLIER = timedelta(hours=1), -timedelta(seconds=1)


def test_what_waits_and_is_late_expires(template):
    now = timezone.now()
    event = make_event(template, expires_at=now + EARLIER, due_at=now + LATER)
    delivery = make_delivery(expires_at=now + EARLIER, due_at=now + LATER)

    assert expirer.run_once(now, 10) == 2
    assert expirer.run_once(now, 10) == 0

    event.refresh_from_db()
    delivery.refresh_from_db()
    assert (event.state, event.finished_at) == (EventState.EXPIRED, now)
    assert (delivery.state, delivery.reason, delivery.finished_at) == (DeliveryState.EXPIRED, Reason.EXPIRED, now)


def test_what_has_time_or_is_over_or_claimed_is_left(template):
    now = timezone.now()
    lease = {"lease_token": "9e107d9d-372b-4b68-a5d1-0c2e8f3d7c11", "lease_until": now + LATER}
    make_event(template)
    make_event(template, expires_at=now + LATER)
    make_event(template, expires_at=now + EARLIER, state=EventState.DISPATCHED)
    make_event(template, expires_at=now + EARLIER, state=EventState.DISPATCHING, **lease)
    make_delivery(expires_at=now + EARLIER, state=DeliveryState.SENT)
    make_delivery(expires_at=now + EARLIER, state=DeliveryState.SENDING, **lease)

    assert expirer.run_once(now, 10) == 0


def test_a_round_takes_no_more_than_it_was_told(template):
    now = timezone.now()
    for _ in range(5):
        make_event(template, expires_at=now + EARLIER)

    assert expirer.run_once(now, 3) == 3
    assert Event.objects.filter(state=EventState.PENDING).count() == 2
    assert not Delivery.objects.exists()
