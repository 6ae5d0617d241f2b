"""Hold, not drop: pauses, the circuit breaker, and the way back."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import CommandError, call_command

from notifications.exceptions import MisconfiguredError, PermanentError, TransientError
from notifications.models import Delivery, Event, Pause
from notifications.pipeline import breaker, pausing
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import pauses
from notifications.types import DeliveryState, EventState, PauseOrigin, PauseScope, Priority
from notifications.values import Receipt
from tests.adapters import Scripted
from tests.factories import make_template

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BACKEND = "tests.adapters.in_use"


@pytest.fixture
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def publish(recipient, code="ORDER_CREATED"):
    publish_notification(code, recipient=recipient, variables={"order_number": "ORD-1"}, channels=["email"])


def work():
    """Dispatch and deliver what may be; return how many e-mails are sent by now."""
    pausing.forget()
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    while deliver_batch("email", more=lambda: None):
        pass
    return Delivery.objects.filter(state=DeliveryState.SENT).count()


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (PauseScope.EVERYTHING, ""),
        (PauseScope.TEMPLATE, "ORDER_CREATED"),
        (PauseScope.CATEGORY, "orders"),
        (PauseScope.CHANNEL, "email"),
        (PauseScope.BACKEND, BACKEND),
    ],
)
def test_what_is_held_waits_and_goes_out_when_it_is_let_go(alice, template, use, scope, key):
    use(Scripted())
    assert pauses.pause(scope, key, now=NOW)
    publish(alice)

    assert work() == 0

    assert pauses.resume(scope, key, now=NOW)
    assert work() == 1
    assert Delivery.objects.get().attempts == 1


def test_what_is_not_held_goes_on_meanwhile(alice, template, use):
    use(Scripted())
    make_template("STOCK_LOW", category="stock")
    pauses.pause(PauseScope.TEMPLATE, "ORDER_CREATED", now=NOW)
    publish(alice)
    publish(alice, "STOCK_LOW")

    assert work() == 1
    assert Event.objects.get(state=EventState.PENDING).template_id == "ORDER_CREATED"


def test_a_pause_with_an_end_lets_go_by_itself(alice, template, use, traveller):
    use(Scripted())
    pauses.pause(PauseScope.EVERYTHING, now=NOW, until=NOW + timedelta(minutes=5))
    publish(alice)
    assert work() == 0

    traveller.shift(301)

    assert work() == 1
    assert breaker.close_recovered(NOW + timedelta(seconds=301), 10) == 1
    assert Pause.objects.get().lifted_at == NOW + timedelta(minutes=5)


def test_another_thread_may_forget_while_this_one_looks(monkeypatch):
    def monotonic():
        pausing.forget()
        return time.monotonic()

    pausing.current(NOW)
    monkeypatch.setattr(pausing, "time", SimpleNamespace(monotonic=monotonic))

    assert not pausing.current(NOW).everything


def test_two_hands_on_the_switch_make_one_pause():
    assert pauses.pause(PauseScope.EVERYTHING, now=NOW)
    assert not pauses.pause(PauseScope.EVERYTHING, now=NOW + timedelta(seconds=1))
    assert pauses.resume(PauseScope.EVERYTHING, now=NOW)
    assert not pauses.resume(PauseScope.EVERYTHING, now=NOW)


@pytest.mark.parametrize(
    ("scope", "key", "words"),
    [
        (PauseScope.TEMPLATE, "ORDER_CREATD", "(did you mean 'ORDER_CREATED'?)"),
        (PauseScope.CATEGORY, "order", "(did you mean 'orders'?)"),
        (PauseScope.CHANNEL, "mail", "there are: email, sms"),
        (PauseScope.EVERYTHING, "x", "takes no name"),
        (PauseScope.BACKEND, "", "EmailChannel"),
    ],
)
def test_what_does_not_exist_cannot_be_held(template, scope, key, words):
    with pytest.raises(pauses.UnknownHold) as error:
        pauses.pause(scope, key, now=NOW)

    assert words in str(error.value)
    assert not Pause.objects.exists()


def test_the_commands_hold_and_let_go(template):
    def run(*arguments):
        out = StringIO()
        call_command(*arguments, stdout=out)
        return out.getvalue().strip()

    assert run("pause_notifications", "channel", "sms", "--note", "provider is down") == "channel sms is held"
    assert run("pause_notifications", "channel", "sms") == "channel sms was held already"
    assert run("resume_notifications", "channel", "sms") == "channel sms goes on"
    assert run("resume_notifications", "channel", "sms") == "channel sms was not held"
    with pytest.raises(CommandError, match="--minutes is -1"):
        run("pause_notifications", "channel", "sms", "--minutes", "-1")
    with pytest.raises(CommandError, match="no channel 'smss'"):
        run("pause_notifications", "channel", "smss")


def test_a_wrong_set_up_opens_the_breaker_at_once_and_costs_no_try(alice, bob, template, use, traveller):
    adapter = use(Scripted(MisconfiguredError(code="401")))
    publish(alice)
    publish(bob)

    assert work() == 0

    assert len(adapter.messages) == 1
    pause = Pause.objects.get()
    assert (pause.scope, pause.key, pause.origin) == (PauseScope.BACKEND, BACKEND, PauseOrigin.BREAKER)
    assert pause.until == NOW + breaker.FIRST
    traveller.shift(31)
    assert work() == 2
    assert {row.attempts - row.attempts_before for row in Delivery.objects.all()} == {1}


@pytest.mark.parametrize("batch_size", [1, 10])
def test_a_batch_in_hand_is_put_back_when_the_breaker_opens(alice, bob, charlie, template, use, traveller, batch_size):
    class Batches(Scripted):
        pass

    Batches.batch_size = batch_size
    adapter = use(Batches(*[MisconfiguredError(code="401")] * 3))
    for person in (alice, bob, charlie):
        publish(person)

    assert work() == 0

    assert len(adapter.messages) == 1
    assert sorted(Delivery.objects.values_list("state", "claims", "attempts")) == [
        (DeliveryState.PENDING, 0, 0),
        (DeliveryState.PENDING, 0, 0),
        (DeliveryState.PENDING, 0, 1),
    ]


def test_a_batch_in_hand_is_put_back_when_another_process_opened_the_breaker(alice, bob, template, use, traveller):
    class Late(Scripted):
        batch_size = 1

        def send_batch(self, messages):
            # Behind the back of this process, which has just looked.
            end = NOW + breaker.FIRST
            pause = Pause(scope=PauseScope.BACKEND, key=BACKEND, origin=PauseOrigin.BREAKER, created_at=NOW, until=end)
            Pause.objects.bulk_create([pause], ignore_conflicts=True)
            yield from super().send_batch(messages)

    adapter = use(Late(*[MisconfiguredError(code="401")] * 2))
    publish(alice)
    publish(bob)

    assert work() == 0
    assert len(adapter.messages) == 1


def test_a_batch_in_hand_is_put_back_when_staff_hold_its_channel(alice, bob, template, use, monkeypatch):
    monkeypatch.setattr("notifications.pipeline.delivery.LOOK_AGAIN", 0.0)

    class Holds(Scripted):
        def send_batch(self, messages):
            pauses.pause(PauseScope.CHANNEL, "email", now=NOW)
            yield from super().send_batch(messages)

    adapter = use(Holds())
    publish(alice)
    publish(bob)

    assert work() == 1
    assert len(adapter.messages) == 1


def test_a_backend_that_fails_half_of_its_calls_is_held(use, traveller):
    use(Scripted())
    results: list[Receipt | Exception] = [Receipt(backend="x"), TransientError()] * 10
    for result in results[:-1]:
        breaker.note(BACKEND, result, now=NOW)
    assert not Pause.objects.exists()

    breaker.note(BACKEND, results[-1], now=NOW)

    assert Pause.objects.get().key == BACKEND


@pytest.mark.parametrize("one_provider", [True, False])
def test_where_each_address_is_a_server_of_its_own_its_failures_hold_nobody(
    alice, template, use, traveller, monkeypatch, one_provider
):
    monkeypatch.setattr(Scripted, "one_provider", one_provider)
    number = breaker.MIN_CALLS + 5
    adapter = use(Scripted(*[TransientError(code="503")] * number))
    for _ in range(number):
        publish(alice)

    work()

    assert Pause.objects.exists() == one_provider
    assert (len(adapter.messages) < number) == one_provider


def test_where_each_address_is_a_server_of_its_own_a_wrong_set_up_holds_all(
    alice, template, use, traveller, monkeypatch
):
    monkeypatch.setattr(Scripted, "one_provider", False)
    adapter = use(Scripted(MisconfiguredError(code="403")))
    publish(alice)
    publish(alice)

    work()

    assert Pause.objects.get().key == BACKEND
    assert len(adapter.messages) == 1


def test_refused_messages_are_no_failure_of_the_backend(use):
    use(Scripted())
    for _ in range(100):
        breaker.note(BACKEND, PermanentError(), now=NOW)

    assert not Pause.objects.exists()


def test_failures_of_long_ago_are_forgotten(use, monkeypatch):
    use(Scripted())
    instants = itertools.count(step=breaker.WINDOW / 10)
    monkeypatch.setattr(breaker, "time", SimpleNamespace(monotonic=lambda: next(instants)))
    for _ in range(100):
        breaker.note(BACKEND, TransientError(), now=NOW)

    assert not Pause.objects.exists()


def test_each_outage_that_follows_at_once_is_held_twice_as_long(use):
    use(Scripted())
    now, lengths = NOW, []
    for _ in range(8):
        breaker.open_for(BACKEND, now=now)
        breaker.open_for(BACKEND, now=now)  # somebody else, at the same moment
        until = Pause.objects.get().until
        assert until is not None
        lengths.append((until - now).total_seconds())
        now = until

    assert lengths == [30, 60, 120, 240, 480, 600, 600, 600]


def test_a_breaker_leaves_the_pause_of_staff_alone(use):
    use(Scripted())
    pauses.pause(PauseScope.BACKEND, BACKEND, now=NOW)

    breaker.open_for(BACKEND, now=NOW + timedelta(hours=1))

    assert Pause.objects.get().origin == PauseOrigin.STAFF
    assert Pause.objects.get().until is None


def test_a_breaker_does_not_prolong_a_pause_of_staff_that_just_ended(use):
    use(Scripted())
    pauses.pause(PauseScope.BACKEND, BACKEND, now=NOW, until=NOW + timedelta(minutes=5))

    breaker.open_for(BACKEND, now=NOW + timedelta(minutes=6))

    assert Pause.objects.get().until == NOW + timedelta(minutes=5)


def test_after_an_outage_the_rate_comes_back_slowly(use):
    use(Scripted())
    breaker.open_for(BACKEND, now=NOW)
    back = NOW + breaker.FIRST

    def ramp(seconds):
        pausing.forget()
        now = back + timedelta(seconds=seconds)
        return round(pausing.current(now).ramp(BACKEND, now), 2)

    assert [ramp(0), ramp(30), ramp(60), ramp(600)] == [0.1, 0.55, 1.0, 1.0]
    assert breaker.close_recovered(back + timedelta(seconds=59), 10) == 0
    assert breaker.close_recovered(back + timedelta(seconds=61), 10) == 1
    assert ramp(0) == 1.0


def test_a_process_asks_for_pauses_once_a_second(django_assert_num_queries):
    with django_assert_num_queries(1):
        for _ in range(10):
            pausing.current(NOW)
