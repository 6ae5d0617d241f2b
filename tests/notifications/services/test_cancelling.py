"""Calling back what waits: what was meant and nobody has begun, and no more of it than was confirmed."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from notifications.models import Delivery
from notifications.services import cancelling
from notifications.services.cancelling import Waiting
from notifications.services.logs import Asked
from notifications.types import Reason
from tests.notifications.pipeline.test_claiming import make_delivery

pytestmark = pytest.mark.django_db


def held():
    return make_delivery(state="sending", lease_token=uuid4(), lease_until=timezone.now() + timedelta(minutes=1))


def states():
    return sorted(Delivery.objects.values_list("channel", "state", "reason"))


def test_what_is_meant_and_waits_is_called_back_and_says_by_whom(template):
    for channel in ("email", "sms", "sms"):
        make_delivery(channel=channel, template=template)
    make_delivery(channel="sms", state="sent")

    counted = cancelling.count(Asked(channel="sms"))
    number = cancelling.cancel(Asked(channel="sms"), now=timezone.now(), limit=100)

    assert counted == [Waiting(channel="sms", template="ORDER_CREATED", number=2)]
    assert number == 2
    assert states() == [
        ("email", "pending", ""), ("sms", "cancelled", Reason.STAFF_CANCELLED),
        ("sms", "cancelled", Reason.STAFF_CANCELLED), ("sms", "sent", ""),
    ]  # fmt: skip
    assert not Delivery.objects.filter(state="cancelled", finished_at=None).exists()


def test_no_more_are_called_back_than_were_confirmed_the_oldest_first(monkeypatch):
    monkeypatch.setattr(cancelling, "BATCH", 2)
    rows = [make_delivery() for _ in range(7)]

    assert cancelling.cancel(Asked(), now=timezone.now(), limit=5) == 5

    left = set(Delivery.objects.filter(state="pending"))
    assert left == set(rows[5:])
    assert cancelling.cancel(Asked(), now=timezone.now(), limit=5) == 2
    assert cancelling.cancel(Asked(), now=timezone.now(), limit=5) == 0


def test_what_a_worker_holds_or_what_is_over_stays():
    rows = [held(), make_delivery(state="sent"), make_delivery(state="failed")]

    done = [cancelling.cancel_one(row.pk, now=timezone.now()) for row in rows]

    assert done == [False] * 3
    assert cancelling.cancel(Asked(), now=timezone.now(), limit=5) == 0
    assert not Delivery.objects.filter(state="cancelled").exists()
