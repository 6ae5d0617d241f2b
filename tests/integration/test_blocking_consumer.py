"""The consumer that waits inside Redis: it loses nothing, wakes at once, and gives up politely."""

from __future__ import annotations

import os
import threading
import time
from uuid import uuid4

import pytest
import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed

from notifications import broker as brokers
from notifications.broker import BlockingRedisBroker
from notifications.broker import redis as redis_broker

pytestmark = pytest.mark.integration


@pytest.fixture
def broker():
    """A broker in a namespace of its own, and its queue `q`."""
    broker = BlockingRedisBroker(url=os.environ["REDIS_URL"], middleware=[], namespace=f"test-{uuid4().hex}")
    broker.declare_queue("q")
    yield broker
    for key in broker.client.scan_iter(f"{broker.namespace}*"):
        broker.client.delete(key)
    broker.client.close()


def message(name="a"):
    return Message(queue_name="q", actor_name=name, args=(), kwargs={}, options={})


def next_message(consumer, seconds=5.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = next(consumer)
        if found is not None:
            return found
    return None


def test_an_idle_consumer_has_the_message_within_milliseconds(broker):
    consumer = broker.consume("q", prefetch=10, timeout=1000)
    latencies = []
    for _ in range(10):
        sent: list[float] = []

        def send(sent=sent):
            time.sleep(0.15)
            sent.append(time.monotonic())
            broker.enqueue(message())

        thread = threading.Thread(target=send)
        thread.start()
        consumer.ack(next_message(consumer))
        latencies.append(time.monotonic() - sent[0])
        thread.join()

    # The stock consumer's median is a quarter of a second and more.
    assert sorted(latencies)[5] < 0.2


def test_an_idle_consumer_asks_for_messages_only_to_be_known_alive(broker, monkeypatch):
    monkeypatch.setattr(redis_broker, "MAX_WAIT", 0.05)
    monkeypatch.setattr(redis_broker, "MAX_SILENCE", 0.5)
    asked = []
    fetch = broker.do_fetch

    def do_fetch(*args):
        asked.append(time.monotonic())
        return fetch(*args)

    broker.do_fetch = do_fetch
    consumer = broker.consume("q", prefetch=10, timeout=1000)

    until = time.monotonic() + 1.2
    while time.monotonic() < until:
        assert next(consumer) is None
    assert len(asked) == 3

    broker.enqueue(message())
    assert next_message(consumer, seconds=0.3) is not None


def test_waiting_leaves_the_queue_as_it_was(broker):
    consumer = broker.consume("q", prefetch=1, timeout=1000)
    for name in "abc":
        broker.enqueue(message(name))
    ids = broker.client.lrange(f"{broker.namespace}:q", 0, -1)

    consumer._wait()

    assert broker.client.lrange(f"{broker.namespace}:q", 0, -1) == ids


def test_many_consumers_and_a_stock_one_share_the_queue_and_lose_nothing(broker):
    stock = RedisBroker(url=os.environ["REDIS_URL"], middleware=[], namespace=broker.namespace)
    number, taken, stop = 300, [], threading.Event()

    def consume(source):
        consumer = source.consume("q", prefetch=5, timeout=100)
        while not stop.is_set():
            found = next(consumer)
            if found is not None:
                taken.append(found.message_id)
                consumer.ack(found)

    threads = [threading.Thread(target=consume, args=(source,)) for source in (broker, broker, broker, stock)]
    for thread in threads:
        thread.start()
    sent = [broker.enqueue(message()).message_id for _ in range(number)]
    deadline = time.monotonic() + 20
    while len(taken) < number and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    stock.client.close()

    assert sorted(taken) == sorted(sent)
    assert broker.client.hlen(f"{broker.namespace}:q.msgs") == 0


def test_the_consumer_of_delayed_messages_looks_up_when_the_first_falls_due(broker):
    consumer = broker.consume("q.DQ", prefetch=10, timeout=1000)
    broker.enqueue(message(), delay=300)
    assert next_message(consumer) is not None

    started = time.monotonic()
    assert next(consumer) is None

    assert 0.1 < time.monotonic() - started < 0.9


def test_a_full_consumer_waits_for_an_acknowledgement_not_for_redis(broker):
    consumer = broker.consume("q", prefetch=1, timeout=100)
    broker.enqueue(message("first"))
    broker.enqueue(message("second"))
    held = next_message(consumer)

    assert next(consumer) is None
    consumer.ack(held)

    assert next_message(consumer).actor_name == "second"


@pytest.fixture
def forbidding(broker):
    """Return the URL of a user who may do everything but wait."""
    name = f"poller{uuid4().hex}"
    broker.client.acl_setuser(
        name, enabled=True, nopass=True, categories=["+@all"], commands=["-blmove"], keys=["*"], channels=["*"]
    )
    yield redis.ConnectionPool.from_url(os.environ["REDIS_URL"], username=name, password="any")
    broker.client.acl_deluser(name)


def test_a_redis_that_forbids_the_wait_is_polled(broker, forbidding):
    polled = BlockingRedisBroker(
        client=redis.Redis(connection_pool=forbidding), middleware=[], namespace=broker.namespace
    )
    polled.declare_queue("q")
    consumer = polled.consume("q", prefetch=10, timeout=100)
    assert next(consumer) is None

    broker.enqueue(message())

    assert next_message(consumer) is not None
    assert not consumer._can_block  # type: ignore[attr-defined]
    polled.client.close()


def test_a_stall_ends_the_consumer_as_a_lost_connection_does_and_never_its_thread(broker, monkeypatch):
    consumer = broker.consume("q", prefetch=10, timeout=100)

    def stall(*_):
        raise redis.TimeoutError

    monkeypatch.setattr(broker.client, "blmove", stall)
    with pytest.raises(ConnectionClosed):
        next(consumer)


def test_an_acknowledgement_that_cannot_be_given_does_not_hold_the_worker(broker, monkeypatch):
    consumer = broker.consume("q", prefetch=10, timeout=100)
    broker.enqueue(message())
    held = next_message(consumer)

    def refuse(*_):
        raise redis.ConnectionError

    for command in ("do_ack", "do_nack", "do_requeue"):
        monkeypatch.setattr(broker, command, refuse, raising=False)
    consumer.ack(held)
    consumer.nack(held)
    consumer.requeue([held])

    assert consumer.outstanding_message_count == 0


def test_waits_are_shorter_than_the_clients_own_time_out():
    client = redis.from_url(os.environ["REDIS_URL"])
    time_out = client.connection_pool.make_connection().socket_timeout  # type: ignore[attr-defined]

    assert time_out is None or time_out > brokers.MAX_WAIT
