"""The worker inside a process: real threads, the embedded broker, a database file."""

from __future__ import annotations

import gc
import importlib
import os
import time
from datetime import timedelta

import dramatiq
import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone
from dramatiq import Message
from dramatiq.broker import MessageProxy
from dramatiq.brokers.stub import StubBroker

from notifications import wakeups
from notifications.broker import MAX_DEAD_LETTERS, EmbeddedBroker
from notifications.models import Delivery, Event, Notification, WorkerHeartbeat
from notifications.pipeline import links
from notifications.pipeline.draining import places
from notifications.publishing import publish_notification
from notifications.types import DeliveryState, EventState
from notifications.worker import Clock, NotificationsMiddleware, fault_of, start_embedded_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker():
    """Run the embedded worker for the length of the test."""
    worker = start_embedded_worker()
    yield worker
    worker.stop()
    dramatiq.get_broker().flush_all()
    connections.close_all()


def eventually(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def publish(recipient, **options):
    return publish_notification("ORDER_CREATED", recipient=recipient, variables={"order_number": "ORD-1"}, **options).id


def test_what_is_published_is_delivered_by_every_channel(alice, template, fake_sms, worker):
    publish(alice)

    assert eventually(lambda: Delivery.objects.filter(state=DeliveryState.SENT).count() == 3)
    assert Notification.objects.get().title == "Order ORD-1"
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]
    assert [message.rendered.body for message in fake_sms] == ["Order ORD-1 is here."]


def test_a_short_delay_is_kept_to_the_moment(alice, template, worker):
    published_at = timezone.now()
    publish(alice, delay=timedelta(seconds=1.5), channels=["in_app"])

    assert eventually(Notification.objects.exists)
    late = (Notification.objects.get().created_at - published_at).total_seconds() - 1.5
    # Never early; how late depends on the machine.
    assert 0 <= late < 10


def test_without_any_wake_up_the_clock_finds_the_event(alice, template, worker, monkeypatch):
    monkeypatch.setattr(wakeups, "ring", lambda *_: None)
    publish(alice, channels=["in_app"])
    assert not eventually(Notification.objects.exists, seconds=1.5)
    monkeypatch.undo()

    assert eventually(Notification.objects.exists)


def test_when_the_broker_does_not_answer_the_clock_hands_the_work_to_stand_ins(alice, template, monkeypatch):
    def refuse(*_):
        raise ConnectionError

    monkeypatch.setattr(wakeups, "_sender", wakeups._Sender(refuse))
    publish(alice, channels=["email", "in_app"])
    clock = Clock(dramatiq.Worker(dramatiq.get_broker()), ends_process=False)
    clock.start()
    try:
        assert eventually(lambda: Delivery.objects.filter(state=DeliveryState.SENT).count() == 2)
    finally:
        clock.stop()


def test_a_process_without_a_worker_keeps_no_wake_ups(alice, template):
    for _ in range(20):
        publish(alice)
    time.sleep(0.1)

    assert all(queue.empty() for queue in dramatiq.get_broker().queues.values())
    assert Event.objects.filter(state=EventState.PENDING).count() == 20


def test_what_a_dead_process_held_is_freed_at_once_when_the_next_one_boots(alice, template):
    event_id = publish(alice, channels=["in_app"])
    lease = {"lease_token": event_id, "lease_until": timezone.now() + timedelta(seconds=50)}
    Event.objects.update(state=EventState.DISPATCHING, claims=1, **lease)

    worker = start_embedded_worker()
    try:
        assert eventually(Notification.objects.exists, seconds=5)
    finally:
        worker.stop()


@pytest.fixture
def boot():
    """Return a function that does what a worker's own process does with our middleware when it boots."""
    middleware, thresholds = NotificationsMiddleware(), gc.get_threshold()
    broker = StubBroker(middleware=[])
    worker = dramatiq.Worker(broker, worker_threads=1)
    links._address.cache_clear()
    yield lambda: middleware.after_worker_boot(broker, worker)
    middleware.before_worker_shutdown(broker, worker)
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    connections.close_all()


def test_a_worker_knows_the_addresses_of_its_links_before_it_says_that_it_is_there(boot, monkeypatch):
    known: list[int] = []
    monkeypatch.setattr(Clock, "start", lambda _: known.append(links._address.cache_info().currsize))
    monkeypatch.setattr(Clock, "stop", lambda _: None)
    boot()

    assert known == [2]


def test_a_worker_whose_urls_are_broken_has_a_clock_all_the_same(boot, monkeypatch):
    monkeypatch.setattr(links, "pages", lambda: importlib.import_module("site_without.urls"))
    with pytest.raises(ModuleNotFoundError):
        boot()

    assert eventually(WorkerHeartbeat.objects.exists)


def test_stopping_ends_the_clock_and_sets_the_flag(worker):
    worker.stop()

    assert places.stopping.is_set()
    broker = dramatiq.get_broker()
    assert isinstance(broker, EmbeddedBroker)
    assert not broker.has_worker


def test_a_worker_says_that_it_is_alive_and_leaves_no_trace_when_it_stops(worker):
    assert eventually(WorkerHeartbeat.objects.exists)
    row = WorkerHeartbeat.objects.get()
    assert (row.process, row.threads, row.fault) == (os.getpid(), 10, "")
    assert {"dispatch_urgent", "deliver_email"} <= set(row.queues)

    worker.stop()

    assert not WorkerHeartbeat.objects.exists()


def test_threads_that_died_are_named(worker):
    assert fault_of(worker) == ""

    worker.consumers["deliver_sms"].stop()
    worker.consumers["deliver_sms"].join()
    worker.workers[0].stop()
    worker.workers[0].join()

    assert fault_of(worker) == "consumer of deliver_sms, 1 of 10 worker threads"


def test_the_embedded_broker_keeps_few_dead_letters_and_no_frames():
    broker = EmbeddedBroker([])
    broker.declare_queue("q")
    broker.has_worker = True
    consumer = broker.consume("q")
    for _ in range(MAX_DEAD_LETTERS + 50):
        message: Message = Message(queue_name="q", actor_name="a", args=(), kwargs={}, options={})
        broker.enqueue(message)
        proxy = next(consumer)
        assert isinstance(proxy, MessageProxy)
        proxy.stuff_exception(ZeroDivisionError())
        proxy.fail()
        consumer.nack(proxy)

    assert len(broker.dead_letters_by_queue["q"]) == MAX_DEAD_LETTERS
    assert all(letter._exception is None for letter in broker.dead_letters)
