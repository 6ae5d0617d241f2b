"""The buffer and its one sender: coalescing, bounded, harmless when the broker is gone."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import signals, wakeups
from notifications.wakeups import _Sender


class Broker:
    """Remembers what it was sent; holds or refuses on demand."""

    def __init__(self):
        self.sent: list = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def send(self, actor, delay):
        self.gate.wait(5)
        if self.broken:
            raise ConnectionError(actor)
        self.sent.append((actor, delay))

    def wait_for(self, number):
        deadline = time.monotonic() + 5
        while len(self.sent) < number and time.monotonic() < deadline:
            time.sleep(0.002)
        return self.sent


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def sender(broker, monkeypatch):
    monkeypatch.setattr(wakeups, "PAUSE_AFTER_FAILURE", 0.05)
    return _Sender(broker.send)


def test_a_thousand_rings_while_the_sender_is_busy_become_one_message(sender, broker):
    broker.gate.clear()
    sender.put("dispatch_urgent", 0)
    time.sleep(0.05)
    for _ in range(1000):
        sender.put("dispatch_normal", 0)
    broker.gate.set()

    broker.wait_for(2)
    time.sleep(0.05)
    assert broker.sent == [("dispatch_urgent", None), ("dispatch_normal", None)]


@pytest.mark.parametrize(("rings", "rest"), [(1, 0.05), (4, 0.05), (5, 0.2), (100, 0.2)])
def test_under_a_stream_workers_are_woken_less_often(sender, rings, rest):
    assert sender.rest_after(rings) == rest


def test_a_delay_is_handed_to_the_broker_in_milliseconds(sender, broker):
    sender.put("deliver_email", 2.0)

    ((actor, delay),) = broker.wait_for(1)
    assert actor == "deliver_email"
    assert 1900 < delay <= 2001


def test_different_moments_are_different_messages_and_the_same_moment_one(sender, broker):
    broker.gate.clear()
    sender.put("x", 0)
    time.sleep(0.05)
    for _ in range(50):
        sender.put("deliver_email", 10.0)
    sender.put("deliver_email", 20.0)
    broker.gate.set()

    assert 3 <= len(broker.wait_for(4)) <= 4  # fifty rings may fall on two slices


def test_ringing_never_waits_for_a_broker_that_hangs(sender, broker):
    broker.gate.clear()
    started = time.monotonic()
    for index in range(500):
        sender.put(f"actor{index}", 0)
    took = time.monotonic() - started
    broker.gate.set()

    assert took < 1
    assert len(broker.wait_for(500)) == 500


def test_the_buffer_is_bounded_and_counts_what_it_drops(sender, broker, monkeypatch):
    monkeypatch.setattr(sender, "capacity", 3)
    broker.gate.clear()
    sender.put("first", 0)
    time.sleep(0.05)
    for index in range(5):
        sender.put(f"actor{index}", 0)
    broker.gate.set()

    assert len(broker.wait_for(4)) == 4
    assert sender.dropped == 2


def test_a_broker_that_fails_costs_the_wake_ups_not_the_sender(sender, broker):
    told: list = []

    def listen(actor, error, dropped, **_):
        told.append((actor, type(error), dropped))

    signals.wakeup_dropped.connect(listen)
    try:
        broker.broken = True
        sender.put("dispatch_normal", 0)
        deadline = time.monotonic() + 5
        while not sender.failing and time.monotonic() < deadline:
            time.sleep(0.002)
        assert told == [("dispatch_normal", ConnectionError, 1)]

        broker.broken = False
        sender.put("dispatch_normal", 0)
        assert broker.wait_for(1) == [("dispatch_normal", None)]
    finally:
        signals.wakeup_dropped.disconnect(listen)
    deadline = time.monotonic() + 5
    while sender.failing and time.monotonic() < deadline:
        time.sleep(0.002)
    assert not sender.failing


def test_beyond_a_minute_nothing_is_rung(monkeypatch):
    put: list = []
    monkeypatch.setattr(wakeups._sender, "put", lambda actor, delay: put.append(actor))
    now = timezone.now()

    wakeups.ring("a", now + timedelta(seconds=61))
    wakeups.ring("b", now + timedelta(seconds=59))
    wakeups.ring("c", now - timedelta(days=1))
    wakeups.ring("d")

    assert put == ["b", "c", "d"]


def test_a_forked_child_has_a_sender_of_its_own():
    wakeups.ring("dispatch_normal")  # the parent's thread is running
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        sent = Broker()
        wakeups._sender._enqueue = sent.send
        wakeups.ring("dispatch_normal")
        sent.wait_for(1)
        os.write(write, str(len(sent.sent)).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(read, 10) == b"1"
    os.close(read)
    os.close(write)
