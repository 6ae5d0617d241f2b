"""Time that a test moves: what is done at which instant, what is kept of it, and what a failure says."""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, date, datetime, timedelta

import dramatiq
import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from notifications import clock, conf, ids, registry, signals, wakeups
from notifications.exceptions import AmbiguousError, MisconfiguredError, PermanentError, UnknownChannel, UnknownTemplate
from notifications.models import Attempt, Delivery, Event, Notification, Pause
from notifications.pipeline import breaker, claiming, pausing
from notifications.pipeline.draining import places
from notifications.publishing import publish_batch_notification, publish_notification
from notifications.testing import Sent, timeline, timelines, work
from notifications.types import DeliveryState, EventState, PauseScope
from notifications.worker import Clock
from tests.adapters import Once, use

pytestmark = pytest.mark.usefixtures("template")


def publish(recipient, number="ORD-1", **options):
    return publish_notification("ORDER_CREATED", recipient=recipient, variables={"order_number": number}, **options)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(t, channel):
    return [f"{sent.at:%H:%M:%S}" for sent in t.sent if sent.channel == channel]


# --- Time


def test_time_stands_at_the_start_by_the_clocks_of_the_zone(db):
    with timeline("2026-07-01 23:00", "Europe/Berlin") as t:
        assert clock.now() == timezone.now() == at("2026-07-01 21:00")
        assert f"{t.now:%H:%M %Z}" == "23:00 CEST"


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(at("2026-07-01 12:00"), id="aware"),
        pytest.param("2026-07-01T14:00+02:00", id="text-with-offset"),
        pytest.param("2026-07-01 12:00", id="text"),
    ],
)
def test_the_start_may_be_text_or_aware(db, start):
    with timeline(start):
        assert clock.now() == at("2026-07-01 12:00")


def test_a_start_without_a_zone_is_refused(db):
    with pytest.raises(ValueError, match="has no time zone"), timeline(datetime(2026, 7, 1)):  # noqa: DTZ001
        pass


def test_a_zone_that_there_is_not_is_refused(db):
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"), timeline("2026-07-01", "Europe/Berlim"):
        pass


@override_settings(TIME_ZONE="Pacific/Auckland")
def test_the_process_keeps_the_zone_of_the_site(db):
    with timeline("2026-07-01 23:00") as t:
        assert date.today() == date(2026, 7, 2)  # noqa: DTZ011
        t.advance(hours=24)
        assert date.today() == date(2026, 7, 3)  # noqa: DTZ011


def test_time_passes_as_on_a_stopwatch_and_as_on_the_wall(db):
    # On 29 March 2026 clocks go from 02:00 to 03:00.
    with timeline("2026-03-28 23:00", "Europe/Berlin") as t:
        t.advance(hours=9)
        assert f"{t.now:%d %H:%M}" == "29 09:00"
        t.advance_to("2026-03-30 08:00")
        assert t.now == at("2026-03-30 06:00")
        t.advance(days=1, minutes=1, seconds=1.5)
        assert t.now == at("2026-03-31 06:01:01.500")
        t.advance_to(at("2026-04-01 00:00"))
        assert t.now == at("2026-04-01 00:00")


def test_time_does_not_go_back(db):
    over = "Sat 2026-03-28 22:59:00 is over: it is Sat 2026-03-28 23:00:00"
    with timeline("2026-03-28 23:00") as t, pytest.raises(ValueError, match=over):
        t.advance_to("2026-03-28 22:59")


def test_afterwards_everything_is_as_before(db):
    before = (registry.adapter, wakeups.ring, conf.current(), places.stopping, clock.offset())
    real = timezone.now()

    with timeline("2006-03-28 23:00"):
        assert clock.now().year == 2006

    assert (registry.adapter, wakeups.ring, conf.current(), places.stopping, clock.offset()) == before
    assert clock.now() - real < timedelta(minutes=1)


def test_what_was_read_of_pauses_then_is_forgotten(alice):
    with timeline("2026-03-28 12:00") as t:
        publish(alice)
        t.run()

    Pause.objects.create(scope=PauseScope.EVERYTHING, created_at=clock.now())
    assert pausing.current(clock.now()).everything


def test_the_clock_of_the_database_is_not_asked(db, settings, monkeypatch):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "CLOCK_CHECK": 0.001}
    monkeypatch.setattr(clock, "_offset", timedelta(days=1))

    with timeline("2026-03-28 23:00"):
        assert clock.now() == at("2026-03-28 23:00")
        # SQLite has none.
        assert conf.current().clock_check == 0


def test_time_machine_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "time_machine", None)
    monkeypatch.delitem(sys.modules, "notifications.testing.timelines")

    with pytest.raises(ImportError, match="pip install time-machine"):
        importlib.import_module("notifications.testing.timelines")


# --- What is done, and when


def test_nothing_is_done_before_the_timeline_runs(alice):
    with timeline("2026-03-28 12:00") as t:
        publish(alice)
        t.assert_not_sent(alice)
        t.run()
        t.assert_sent(alice, "email")


def test_what_is_sent_is_kept_with_all_its_words(alice):
    with timeline("2026-03-28 12:00", "Europe/Berlin") as t:
        publish(alice)
        t.advance(hours=1)

        noon = t.now - timedelta(hours=1)
        in_app, email, sms = t.sent
        assert in_app == Sent(
            recipient=alice,
            channel="in_app",
            address="",
            title="Order ORD-1",
            body="We have it.",
            html="",
            at=noon,
            template="ORDER_CREATED",
        )
        assert (email.recipient, email.channel, email.address) == (alice, "email", "alice@example.com")
        assert (email.title, email.template, email.at) == ("Your order ORD-1", "ORDER_CREATED", noon)
        assert "Hello Alice" in email.body
        assert "<html" in email.html
        assert (sms.address, sms.title, sms.body, sms.html) == ("+4915550001001", "", "Order ORD-1 is here.", "")
        assert {f"{sent.at.tzinfo}" for sent in t.sent} == {"Europe/Berlin"}


def test_what_is_due_on_the_way_is_done_at_its_instant_in_order(alice):
    with timeline("2026-03-28 12:00") as t:
        publish(alice, "late", delay=timedelta(hours=2), channels=["email"])
        publish(alice, "soon", delay=timedelta(minutes=1), channels=["email"])
        t.advance(hours=1)
        assert times(t, "email") == ["12:01:00"]
        t.advance(hours=1)
        assert times(t, "email") == ["12:01:00", "14:00:00"]


def test_what_a_receiver_publishes_then_is_done_then(alice, connect):
    def thank(sender, **kwargs):
        if Event.objects.count() < 2:
            publish(alice, "again", delay=timedelta(minutes=5), channels=["sms"])

    connect(signals.delivery_finished, thank)
    with timeline("2026-03-28 12:00") as t:
        publish(alice, channels=["email"], delay=timedelta(minutes=10))
        t.advance(hours=1)

        assert times(t, "email") == ["12:10:00"]
        assert times(t, "sms") == ["12:15:00"]


def test_what_was_published_first_comes_first_though_time_stands_still(alice):
    numbers = [f"ORD-{number:02}" for number in range(20)]
    with timeline("2026-03-28 12:00") as t:
        for number in numbers:
            publish(alice, number, channels=["in_app"])
        assert [event.variables["order_number"] for event in Event.objects.order_by("pk")] == numbers
        t.run()
        assert [sent.title for sent in t.assert_sent(alice, "in_app", times=20)] == [f"Order {n}" for n in numbers]


def test_two_timelines_at_one_instant_make_different_ids(db):
    made = []
    for _ in range(2):
        with timeline("2026-03-28 12:00"):
            made.append(ids.uuid7())

    assert len(set(made)) == 2


def test_what_was_sent_before_does_not_count(alice):
    Notification.objects.create(
        event_id=ids.uuid7(),
        recipient=alice,
        template_id="ORDER_CREATED",
        category_id="orders",
        created_at=timezone.now(),
        listed_at=timezone.now(),
    )

    with timeline("2026-03-28 12:00") as t:
        t.run()
        assert t.sent == []


def test_a_lease_that_runs_out_is_freed(alice):
    with timeline("2026-03-28 12:00") as t:
        publish(alice, channels=["email"])
        claiming.claim(Event, priorities=[2], now=clock.now(), lease=timedelta(seconds=60), limit=1)
        t.advance(minutes=2)

        assert times(t, "email") == ["12:01:00"]


def test_what_expires_does_so_at_its_instant_though_nobody_tries_it_then(alice):
    with timeline("2026-03-28 12:00") as t:
        t.fail("email", times=9)
        publish(alice, channels=["email"], expires_in=timedelta(seconds=30))
        t.advance(hours=1)

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.finished_at) == (DeliveryState.EXPIRED, at("2026-03-28 12:00:30"))


def test_a_pause_holds_until_it_ends(alice):
    with timeline("2026-03-28 12:00") as t:
        publish(alice, channels=["email"])
        end = clock.now() + timedelta(hours=3)
        Pause.objects.create(scope=PauseScope.CHANNEL, key="email", created_at=clock.now(), until=end)
        t.advance(hours=2)
        assert t.sent == []
        t.advance(hours=2)
        assert times(t, "email") == ["15:00:00"]


def test_a_pause_of_a_backend_holds_its_channel_and_no_other(alice):
    with timeline("2026-03-28 12:00") as t:
        t.run()
        backend = conf.channels()["email"]["BACKEND"]
        Pause.objects.create(scope=PauseScope.BACKEND, key=backend, created_at=clock.now())
        publish(alice)
        t.advance(hours=1)

        t.assert_sent(alice, "sms")
        t.assert_not_sent(alice, "email")


def test_the_jobs_of_the_clock_are_all_run_or_left_out_on_purpose(db):
    its_clock = Clock(dramatiq.Worker(dramatiq.get_broker()), ends_process=False)
    names = {job.name for job in its_clock._jobs}

    assert {job.name for job in work.Work().jobs} == names - work.LEFT_OUT
    assert names >= work.LEFT_OUT


def test_a_circle_is_an_error_that_says_what_turns(alice, connect, monkeypatch):
    monkeypatch.setattr(work, "MAX_ROUNDS", 20)
    connect(signals.delivery_finished, lambda sender, **kwargs: publish(alice, channels=["email"]))

    with timeline("2026-03-28 12:00") as t:
        publish(alice, channels=["email"])
        with pytest.raises(
            RuntimeError, match=r"After 20 rounds at 2026-03-28T12:00.* still work for deliver_email.*publish again"
        ):
            t.run()


def test_a_way_without_end_is_an_error_that_says_how_far_it_came(alice, connect, monkeypatch):
    monkeypatch.setattr(timelines, "MAX_INSTANTS", 5)
    later = {"channels": ["email"], "delay": timedelta(seconds=1)}
    connect(signals.delivery_finished, lambda sender, **kwargs: publish(alice, **later))

    with timeline("2026-03-28 12:00") as t:
        publish(alice, **later)
        with pytest.raises(RuntimeError, match=r"After 5 instants it is only Sat 2026-03-28 12:00:05\."):
            t.advance(hours=1)


def test_no_wake_up_reaches_the_broker(transactional_db, alice, template, monkeypatch):
    rung = []
    monkeypatch.setattr(wakeups._sender, "put", lambda actor, delay: rung.append(actor))

    with timeline("2026-03-28 12:00") as t:
        t.fail("email")
        publish(alice, channels=["email"])
        t.advance(minutes=1)
        t.assert_sent(alice, "email")
    assert rung == []

    publish(alice)
    assert rung == ["dispatch_normal"]


def test_it_works_within_transactions_and_without(transactional_db, alice, template):
    assert not connection.in_atomic_block

    with timeline("2026-03-28 12:00") as t:
        publish(alice, delay=timedelta(hours=1))
        t.advance(hours=2)

        assert [sent.channel for sent in t.sent] == ["in_app", "email", "sms"]


def test_a_worker_of_another_test_that_was_stopped_stops_nothing(alice):
    places.stopping.set()

    with timeline("2026-03-28 12:00") as t:
        publish(alice)
        t.run()
        t.assert_sent(alice, "email")


# --- The providers


def test_an_adapter_keeps_its_traits_and_its_name(alice, settings):
    settings.NOTIFICATION_CHANNELS = {
        "email": {"BACKEND": "notifications.channels.email.EmailChannel"},
        "sms": {"BACKEND": "tests.adapters.in_use"},
    }
    use(Once())
    with timeline("2026-03-28 12:00") as t:
        assert (registry.adapter("email").batch_size, registry.adapter("email").at_most_once) == (50, False)
        assert registry.adapter("sms").at_most_once
        publish(alice)
        t.run()
        t.assert_sent(alice, "sms")

    assert set(Delivery.objects.values_list("channel", "backend")) == {
        ("in_app", ""),
        ("email", "EmailChannel"),
        ("sms", "Once"),
    }


class Costly:
    """Cannot be made without credentials."""

    batch_size, at_most_once, sends_together = 7, True, True

    def __init__(self, api_key):
        raise AssertionError


def test_an_adapter_is_not_made(alice, settings):
    settings.NOTIFICATION_CHANNELS = {"email": {"BACKEND": f"{__name__}.Costly"}}

    with timeline("2026-03-28 12:00") as t:
        adapter = registry.adapter("email")
        assert (adapter.batch_size, adapter.at_most_once, adapter.sends_together) == (7, True, True)
        publish(alice)
        t.run()
        t.assert_sent(alice, "email")


def test_a_channel_that_is_set_up_meanwhile_is_there(alice, settings):
    settings.NOTIFICATION_CHANNELS = {}
    with timeline("2026-03-28 12:00") as t:
        with pytest.raises(UnknownChannel, match="No channel 'email'"):
            registry.adapter("email")
        settings.NOTIFICATION_CHANNELS = {"email": {"BACKEND": "notifications.channels.email.EmailChannel"}}
        publish(alice)
        t.run()
        t.assert_sent(alice, "email")


def test_a_provider_that_fails_is_tried_again_after_2_4_and_8_seconds(alice):
    with timeline("2026-03-28 12:00") as t:
        t.fail("sms", times=3)
        publish(alice, channels=["sms"])
        t.advance(seconds=13.999)
        t.assert_not_sent(alice)
        t.advance(seconds=0.001)

        assert times(t, "sms") == ["12:00:14"]
        assert Delivery.objects.get().attempts == 4


def test_e_mail_is_tried_for_hours(alice):
    with timeline("2026-03-28 12:00") as t:
        t.fail("email", times=7)
        publish(alice, channels=["email"])
        t.advance(hours=10)

        (sent,) = t.assert_sent(alice, "email")
        tail = sent.at - at("2026-03-28 12:00:14")
        planned = timedelta(seconds=60 + 600 + 3600 + 21600)
        assert 0.8 * planned <= tail <= 1.2 * planned


def test_failures_far_apart_do_not_open_the_circuit_breaker(alice):
    with timeline("2026-03-28 12:00") as t:
        t.fail("email", times=30)
        for _ in range(6):
            publish(alice, channels=["email"])
            t.advance(minutes=2)

        assert Attempt.objects.count() > breaker.MIN_CALLS

        assert not Pause.objects.exists()


def test_failures_at_once_open_it_and_what_waits_is_sent_when_it_lets_go(alice):
    with timeline("2026-03-28 12:00") as t:
        t.fail("sms", times=20)
        for number in range(20):
            publish(alice, f"{number}", channels=["sms"])
        t.advance(seconds=29)
        assert Pause.objects.filter(scope=PauseScope.BACKEND).exists()
        t.assert_not_sent(alice, "sms")
        t.advance(seconds=1)
        t.assert_sent(alice, "sms", times=20)


def test_of_what_is_sent_together_only_the_first_fails(alice):
    with timeline("2026-03-28 12:00") as t:
        t.fail("email")
        publish(alice, "1", channels=["email"])
        publish(alice, "2", channels=["email"])
        t.run()
        t.assert_sent(alice, "email")
        t.advance(seconds=2)
        assert times(t, "email") == ["12:00:00", "12:00:02"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(PermanentError, DeliveryState.FAILED, id="permanent"),
        pytest.param(PermanentError("No such number.", code="404"), DeliveryState.FAILED, id="an-instance"),
        pytest.param(AmbiguousError, DeliveryState.UNKNOWN, id="ambiguous"),
        pytest.param(MisconfiguredError, DeliveryState.SENT, id="misconfigured"),
    ],
)
def test_a_provider_fails_as_it_is_told(alice, error, state):
    with timeline("2026-03-28 12:00") as t:
        t.fail("sms", with_=error)
        publish(alice, channels=["sms"])
        t.advance(hours=1)

    assert Delivery.objects.get().state == state


def test_only_a_channel_that_is_set_up_can_fail(db):
    meant = r"No channel 'emial' in NOTIFICATION_CHANNELS \(did you mean 'email'"
    with timeline("2026-03-28 12:00") as t, pytest.raises(UnknownChannel, match=meant):
        t.fail("emial")


# --- Assertions


def test_what_was_sent_can_be_asked_for_by_its_words(alice, bob):
    with timeline("2026-03-28 12:00") as t:
        publish(alice, "1")
        publish(alice, "2")
        publish(bob, "3")
        t.run()

        t.assert_sent(alice, "email", times=2)
        (second,) = t.assert_sent(alice, "email", title="Your order 2")
        assert second.title == "Your order 2"
        t.assert_sent(alice.pk, "email", contains="Hello Alice", times=2)
        t.assert_sent(alice, "email", template="ORDER_CREATED", times=2)
        t.assert_not_sent(alice, title="Your order 3")
        t.assert_not_sent(alice, contains="Hello Bob")
        t.assert_not_sent(bob, "sms")
        t.assert_sent(bob, "email", contains="3")


def test_a_slip_of_the_pen_is_no_proof_that_nothing_was_sent(alice):
    with timeline("2026-03-28 12:00") as t:
        with pytest.raises(UnknownChannel, match="did you mean 'email'"):
            t.assert_not_sent(alice, "emial")
        with pytest.raises(UnknownTemplate, match="did you mean 'ORDER_CREATED'"):
            t.assert_not_sent(alice, template="ORDER_CRATED")
        t.assert_not_sent(alice, "web_push")


def test_the_failure_says_what_was_sent_and_why_the_rest_was_not(bob):
    with timeline("2026-03-20 12:00", "Europe/Berlin") as t:
        t.fail("email", times=9)
        publish(bob)
        publish(bob, "later", delay=timedelta(days=1))
        t.advance(minutes=1)

        with pytest.raises(AssertionError) as failure:
            t.assert_sent(bob, "email", template="ORDER_CREATED", title="Your order 7", contains="order")

    line = str(failure.value).splitlines()
    assert line[0] == (
        "bob got it 0 times, not 1: email ORDER_CREATED with the title 'Your order 7' containing 'order'"
    )
    assert line[1:4] == [
        "It is Fri 2026-03-20 12:01:00.",
        "Sent to them:",
        "  in_app ORDER_CREATED 'Bestellung ORD-1' at Fri 2026-03-20 12:00:00",
    ]
    assert line[4] == "Not sent:"
    assert sorted(line[5:7])[0].startswith("  email ORDER_CREATED: pending until Fri 2026-03-20 12:01:")
    assert sorted(line[5:7])[0].endswith(
        ", retry (waiting for the next try): The provider could not take it now; try again."
    )
    assert sorted(line[5:7])[1] == (
        "  sms ORDER_CREATED: suppressed, no_address (the recipient has no address on this channel)"
    )
    assert line[7:] == ["  the event ORDER_CREATED: pending until Sat 2026-03-21 12:00:00"]


def test_the_failure_of_what_should_not_be_sent_says_what_was(alice):
    with timeline("2026-03-28 12:00") as t:
        publish(alice, channels=["sms"])
        t.run()

        with pytest.raises(AssertionError) as failure:
            t.assert_not_sent(alice)

    assert str(failure.value) == (
        "alice got what they should not: anything\n"
        "It is Sat 2026-03-28 12:00:00.\n"
        "Sent to them:\n"
        "  sms ORDER_CREATED 'Order ORD-1 is here.' at Sat 2026-03-28 12:00:00\n"
        "Not sent: nothing."
    )


def test_the_failure_reminds_of_a_timeline_that_was_not_run(alice):
    with timeline("2026-03-28 12:00") as t:
        publish(alice)

        with pytest.raises(
            AssertionError, match=r"the event ORDER_CREATED: due since .*; run the timeline, or look for"
        ):
            t.assert_sent(alice, "email")


def test_the_failure_names_events_and_broadcasts_that_went_wrong(alice, monkeypatch):
    monkeypatch.setattr(registry, "_audiences", {})

    @registry.audience("everybody")
    def everybody():
        message = "no such table"
        raise LookupError(message)

    with timeline("2026-03-28 12:00") as t:
        publish_batch_notification("ORDER_CREATED", audience="everybody", variables={"order_number": "1"})
        publish(alice)
        Event.objects.update(state=EventState.FAILED, last_error="KeyError: 'x'", finished_at=clock.now())
        t.run()

        with pytest.raises(AssertionError) as failure:
            t.assert_sent(alice, "email")

    assert "  the event ORDER_CREATED: failed: KeyError: 'x'\n" in str(failure.value)
    assert "  the broadcast ORDER_CREATED to 'everybody': failed: LookupError: no such table" in str(failure.value)


def test_the_failure_stays_short(alice):
    with timeline("2026-03-28 12:00") as t:
        for number in range(30):
            publish(alice, f"{number}", channels=["sms"], delay=timedelta(hours=1))

        with pytest.raises(AssertionError, match=r"and 10 more$"):
            t.assert_sent(alice, "sms")


@pytest.fixture
def arrival():
    """Look, when everything else is over, whether time is real again."""
    yield
    assert time_machine.traveller_stack == []


def test_the_fixture_starts_timelines_and_ends_them(alice, arrival, timeline):
    t = timeline("2026-03-28 12:00", "Europe/Berlin")

    publish(alice)
    t.run()

    t.assert_sent(alice, "email")
