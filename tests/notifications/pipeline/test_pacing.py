"""The pace of a channel, over all processes."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connections

from notifications.models import Delivery
from notifications.pipeline import pacing
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.pipeline.draining import places
from notifications.publishing import publish_batch_notification
from notifications.types import DeliveryState, Priority
from tests.adapters import Scripted
from tests.notifications.test_publishing import users

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def traveller(db):
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def most_in_a_second(instants):
    instants = sorted(instants)
    return max(bisect_left(instants, start + 1.0) - index for index, start in enumerate(instants))


def test_turns_come_one_after_the_other_after_a_small_burst(traveller):
    waits = [pacing.reserve("email", 1, 10) for _ in range(5)]

    assert waits == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-5)


def test_a_faster_channel_has_a_larger_burst(traveller):
    waits = [pacing.reserve("email", 1, 100) for _ in range(12)]

    assert waits == pytest.approx([0] * 10 + [0.01, 0.02], abs=1e-5)


def test_rest_is_not_saved_up(traveller):
    pacing.reserve("email", 1, 10)
    traveller.shift(3600)

    assert [pacing.reserve("email", 1, 10) for _ in range(3)] == pytest.approx([0, 0.1, 0.2], abs=1e-5)


def test_nobody_takes_a_turn_they_would_not_wait_for(traveller):
    taken = [pacing.reserve("email", 1, 10) for _ in range(40)]

    given = [wait for wait in taken if wait is not None]
    assert max(given) <= pacing.MAX_WAIT + 1e-5
    assert 20 <= len(given) <= 22
    traveller.shift(1)
    assert pacing.reserve("email", 1, 10) is not None


def test_channels_do_not_share_a_pace(traveller):
    for _ in range(40):
        pacing.reserve("email", 1, 10)

    assert pacing.reserve("sms", 1, 10) == 0


def test_without_a_limit_nobody_is_asked(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert pacing.reserve("email", 1, 0) == 0


def test_waiting_ends_when_the_worker_stops():
    stopping = threading.Event()
    stopping.set()

    assert not pacing.wait(5, stopping.wait)
    assert pacing.wait(0.01, threading.Event().wait)
    assert pacing.wait(0, stopping.wait)


@pytest.mark.django_db(transaction=True)
def test_threads_together_never_pass_the_limit():
    sent: list[float] = []
    until = time.monotonic() + 3

    def work():
        try:
            while time.monotonic() < until:
                seconds = pacing.reserve("email", 1, 10)
                if seconds is None:
                    time.sleep(0.1)
                else:
                    time.sleep(seconds)
                    sent.append(time.monotonic())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sent) >= 25
    assert most_in_a_second(sent) <= 12


def test_a_delivery_out_of_turns_puts_the_rest_back_and_is_rung_for(
    template, use, settings, rung, traveller, monkeypatch
):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RATES": {"email": 10}}
    monkeypatch.setattr(pacing, "wait", lambda seconds, stopping: True)
    adapter = use(Scripted())
    publish_batch_notification(
        "ORDER_CREATED", recipients=users(40), variables={"order_number": "ORD-1"}, channels=["email"]
    )
    dispatch_batch(Priority.LOW, more=lambda: None)
    rung.clear()

    while deliver_batch("email", more=lambda: None):
        pass

    assert 20 <= len(adapter.messages) <= 22
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING)
    assert waiting.count() == 40 - len(adapter.messages)
    assert set(waiting.values_list("claims", "attempts")) == {(0, 0)}
    assert ("deliver_email", pacing.MAX_WAIT / 2) in rung


def test_a_provider_call_that_carries_the_whole_batch_takes_all_its_turns_at_once(
    template, use, settings, traveller, monkeypatch
):
    class Together(Scripted):
        batch_size = 10
        sends_together = True

    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RATES": {"email": 10}}
    turns: list[int] = []

    def reserve(channel, number, rate):
        turns.append(number)
        return 0.0

    monkeypatch.setattr(pacing, "reserve", reserve)
    adapter = use(Together())
    publish_batch_notification(
        "ORDER_CREATED", recipients=users(15), variables={"order_number": "ORD-1"}, channels=["email"]
    )
    dispatch_batch(Priority.LOW, more=lambda: None)

    while deliver_batch("email", more=lambda: None):
        pass

    assert adapter.batches == [10, 5]
    assert turns == [10, 5]


def test_a_worker_that_stops_while_it_waits_puts_everything_back(template, use, settings, traveller, monkeypatch):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RATES": {"email": 10}}
    adapter = use(Scripted())
    publish_batch_notification(
        "ORDER_CREATED", recipients=users(3), variables={"order_number": "ORD-1"}, channels=["email"]
    )
    dispatch_batch(Priority.LOW, more=lambda: None)

    def told_to_stop(timeout):
        places.stopping.set()
        return True

    monkeypatch.setattr(places.stopping, "wait", told_to_stop)

    deliver_batch("email", more=lambda: None)

    assert len(adapter.messages) == 1
    assert Delivery.objects.filter(state=DeliveryState.PENDING, claims=0).count() == 2
