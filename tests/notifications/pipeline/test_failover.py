"""Backends that stand in for each other, and what providers ask for that costs no try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from notifications import registry
from notifications.exceptions import MisconfiguredError, ThrottledError, TransientError
from notifications.models import Attempt, Delivery, Pause
from notifications.pipeline import breaker, pausing
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import pauses
from notifications.types import DeliveryState, Outcome, PauseScope, Priority
from tests import adapters
from tests.adapters import Scripted

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def stand_by(settings):
    """Return a function that gives e-mail these adapters, in order; the second is called standby, the third last."""

    def stand_by(*given):
        names = ("first", "standby", "last")
        declared = [
            {"BACKEND": "tests.adapters.numbered", "NAME": name, "OPTIONS": {"number": number}}
            for number, name in enumerate(names[: len(given)])
        ]
        settings.NOTIFICATION_CHANNELS = {"email": {**declared[0], "FALLBACKS": declared[1:]}}
        adapters.numbers[:] = given
        return given

    return stand_by


def publish(recipient):
    publish_notification("ORDER_CREATED", recipient=recipient, variables={"order_number": "1"}, channels=["email"])


def work():
    """Dispatch and deliver what may be."""
    pausing.forget()
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    while deliver_batch("email", more=lambda: None):
        pass


def test_what_the_first_backend_cannot_send_goes_out_by_the_next_at_once(alice, bob, template, stand_by, traveller):
    first, standby = stand_by(Scripted(MisconfiguredError(code="401")), Scripted())
    publish(alice)
    publish(bob)

    work()

    assert (len(first.messages), len(standby.messages)) == (1, 2)
    assert set(Delivery.objects.values_list("state", "backend")) == {(DeliveryState.SENT, "standby")}
    tries = sorted(Attempt.objects.values_list("backend", "outcome"))
    assert tries == [("first", Outcome.MISCONFIGURED), ("standby", Outcome.SENT), ("standby", Outcome.SENT)]
    assert Pause.objects.get().key == "first"


def test_when_all_are_held_it_waits(alice, template, stand_by, traveller):
    stand_by(Scripted(MisconfiguredError()), Scripted(MisconfiguredError()))
    publish(alice)

    work()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.due_at) == (DeliveryState.PENDING, NOW + breaker.FIRST)
    assert (delivery.attempts, delivery.attempts_before) == (2, 2)
    traveller.shift(31)
    work()
    assert Delivery.objects.get().backend == "first"


def test_each_backend_has_a_breaker_of_its_own(alice, template, stand_by, traveller):
    errors = [TransientError(code="503") for _ in range(breaker.MIN_CALLS)]
    first, standby = stand_by(Scripted(*errors), Scripted())
    for _ in range(breaker.MIN_CALLS + 5):
        publish(alice)

    work()

    assert (len(first.messages), len(standby.messages)) == (breaker.MIN_CALLS, 5)
    assert list(Pause.objects.values_list("key", flat=True)) == ["first"]


def test_the_first_backend_is_used_again_when_it_is_back(alice, template, stand_by, traveller):
    first, standby = stand_by(Scripted(), Scripted())
    pauses.pause(PauseScope.BACKEND, "first", now=NOW)
    publish(alice)
    work()
    pauses.resume(PauseScope.BACKEND, "first", now=NOW)
    publish(alice)

    work()

    assert (len(first.messages), len(standby.messages)) == (1, 1)


def test_a_batch_in_hand_goes_back_to_the_first_backend(alice, bob, template, stand_by, traveller, monkeypatch):
    monkeypatch.setattr("notifications.pipeline.delivery.LOOK_AGAIN", 0.0)

    class Resumes(Scripted):
        batch_size = 1

        def send_batch(self, messages):
            pauses.resume(PauseScope.BACKEND, "first", now=NOW)
            pausing.forget()
            yield from super().send_batch(messages)

    first, standby = stand_by(Scripted(), Resumes())
    pauses.pause(PauseScope.BACKEND, "first", now=NOW)
    publish(alice)
    publish(bob)

    work()

    assert (len(first.messages), len(standby.messages)) == (1, 1)


def test_a_channel_is_held_when_all_its_backends_are(stand_by, traveller):
    stand_by(Scripted(), Scripted(), Scripted())
    seen = []

    for key in ("first", "last", "standby"):
        pauses.pause(PauseScope.BACKEND, key, now=NOW)
        pausing.forget()
        held = pausing.current(NOW)
        seen.append((held.open_backend("email"), held.holds_channel("email")))

    assert seen == [(1, False), (1, False), (None, True)]
    assert pausing.current(NOW).open_backend("sms") is None


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (None, [30, 60, 120, 240, 480, 600, 600]),
        (timedelta(seconds=17), [17] * 7),
        (timedelta(days=1), [3600] * 7),
        (timedelta(0), [1] * 7),
    ],
    ids=["says nothing", "says when", "asks too much", "asks nothing"],
)
def test_being_told_to_slow_down_costs_no_try(alice, template, use, traveller, asked, waits):
    use(Scripted(*[ThrottledError(code="429", retry_after=asked) for _ in waits]))
    publish(alice)
    waited = []

    for _ in waits:
        work()
        delivery = Delivery.objects.get()
        waited.append((delivery.due_at - datetime.now(UTC)).total_seconds())
        traveller.move_to(delivery.due_at)
    work()

    assert waited == waits
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts - delivery.attempts_before) == (DeliveryState.SENT, 1)


def test_after_a_throttle_every_try_is_still_there(alice, template, use, traveller):
    use(Scripted(ThrottledError(), *[TransientError() for _ in range(3)]))
    publish(alice)
    for _ in range(5):
        work()
        traveller.move_to(Delivery.objects.get().due_at)

    assert Delivery.objects.get().state == DeliveryState.SENT


def test_adapters_are_closed_and_made_anew(use):
    closed = []

    class Closes(Scripted):
        def close(self):
            closed.append(self)

    adapter = use(Closes())
    assert registry.adapter("email") is registry.adapter("email") is adapter

    registry.close_adapters()

    assert closed == [adapter]
    assert registry.adapter("email") is adapter
