"""RabbitMQ as the broker: prompt while it is there, not missed while it is gone."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import pika
import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from notifications.broker.rabbitmq import CONNECTION, FAREWELL, PATIENCE, RabbitBroker, with_defaults
from notifications.models import Delivery
from notifications.types import DeliveryState
from tests.integration.processes import ROOT, output, stop
from tests.rabbitmq import find_rabbitmq, running_rabbitmq
from tests.servers import ServiceError

pytestmark = pytest.mark.integration
with_database = pytest.mark.django_db(transaction=True)

#: Publishes as a web process would, with a pause before each; prints when each publication began and ended, as time.monotonic().
PUBLISHER = """
import json, sys, time
import django
django.setup()
from notifications.publishing import publish_notification
times = []
for number in range(int(sys.argv[2])):
    time.sleep(float(sys.argv[3]))
    started = time.monotonic()
    publish_notification(
        "ORDER_DELIVERED", recipient=sys.argv[1], variables={"order_number": f"ORD-{number}"}, channels=["email"]
    )
    times.append((started, time.monotonic()))
time.sleep(0.2)  # the thread that sends the wake-ups ends with the process
print(json.dumps(times))
"""


@pytest.fixture(scope="session")
def server():
    """Run one RabbitMQ for all, because it takes seconds to start; or skip, visibly, where it is not installed."""
    try:
        program = find_rabbitmq()
    except ServiceError as e:
        pytest.skip(str(e))
    with running_rabbitmq(program) as server:
        yield server


@pytest.fixture
def rabbit(server):
    """Give RabbitMQ, running and empty."""
    server.start()
    with channel(server.url) as its:
        for name in ("q", "q.DQ", "q.XQ"):
            its.queue_delete(name)
    return server


@pytest.fixture
def broker(rabbit):
    """A broker of our own, and its queue `q`."""
    broker = RabbitBroker(url=rabbit.url, middleware=[])
    broker.declare_queue("q")
    yield broker
    broker.close()


@contextmanager
def channel(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        with suppress(pika.exceptions.AMQPError):
            connection.close()


@contextmanager
def frozen(server):
    """Let RabbitMQ keep its connections and say nothing."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def message(name="a"):
    return Message(queue_name="q", actor_name=name, args=(), kwargs={}, options={})


def next_message(consumer, seconds=5.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = next(consumer)
        if found is not None:
            return found
    return None


def publish(environment, user, number, *, pause=0.0):
    """Publish in a process of its own; return when each publication began and ended."""
    command = [sys.executable, "-c", PUBLISHER, str(user.pk), str(number), str(pause)]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return json.loads(ended.stdout)


def median_seconds(times):
    return statistics.median(ended - started for started, ended in times)


def sent():
    return Delivery.objects.filter(state=DeliveryState.SENT).count()


# --- The URL --------------------------------------------------------------------------------------------------------


def test_what_the_url_says_goes_before_the_defaults():
    parameters = pika.URLParameters(with_defaults("amqp://bob:secret@rabbit:5673/shop?heartbeat=5&socket_timeout=9"))

    assert (parameters.heartbeat, parameters.socket_timeout) == (5, 9)
    assert (parameters.connection_attempts, parameters.blocked_connection_timeout) == (1, 5)
    assert (parameters.host, parameters.port, parameters.virtual_host) == ("rabbit", 5673, "shop")


def test_every_node_of_a_cluster_has_the_defaults():
    broker = RabbitBroker(url="amqp://one;amqps://two/%2F")

    assert [node.host for node in broker.parameters] == ["one", "two"]
    assert {node.heartbeat for node in broker.parameters} == {CONNECTION["heartbeat"]}
    assert broker.confirm_delivery


def test_a_url_with_everything_stays_as_it_is():
    url = with_defaults("amqp://rabbit")

    assert with_defaults(url) == url
    assert set(parse_qs(urlsplit(url).query)) == set(CONNECTION)


@pytest.mark.parametrize("url", ["kafka://secret@broker", "secret@broker:5672", "amqp"])
def test_a_broker_nobody_knows_is_refused_by_naming_those_we_know(url):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "x", "BROKER_URL": url}
    command = [sys.executable, "manage.py", "check"]

    ended = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )

    assert ended.returncode != 0
    assert "begin with one of redis://, rediss://, unix://, amqp://, amqps://" in ended.stderr
    assert "secret" not in ended.stderr.splitlines()[-1]


# --- The broker -----------------------------------------------------------------------------------------------------


def test_an_idle_consumer_has_the_message_within_milliseconds(broker):
    consumer = broker.consume("q", prefetch=10, timeout=1000)
    assert next(consumer) is None
    latencies = []
    for _ in range(10):
        started = time.monotonic()
        broker.enqueue(message())
        consumer.ack(next_message(consumer))
        latencies.append(time.monotonic() - started)
    consumer.close()

    assert statistics.median(latencies) < 0.3


def test_the_consumer_of_delayed_messages_looks_up_when_the_first_falls_due(broker):
    consumer = broker.consume("q.DQ", prefetch=10, timeout=1000)
    broker.enqueue(message(), delay=300)
    assert next_message(consumer) is not None

    started = time.monotonic()
    assert next(consumer) is None

    assert 0.1 < time.monotonic() - started < 0.9
    consumer.close()


def test_messages_that_wait_outlive_a_restart_and_the_lost_connection_is_made_up_for(broker, rabbit):
    broker.enqueue(message("before"))
    broker.enqueue(message("delayed"), delay=60_000)

    rabbit.restart()
    broker.enqueue(message("after"))

    consumer = broker.consume("q", prefetch=10, timeout=1000)
    assert [next_message(consumer).actor_name for _ in range(2)] == ["before", "after"]
    consumer.close()
    delayed = broker.consume("q.DQ", prefetch=10, timeout=1000)
    assert next_message(delayed).actor_name == "delayed"
    delayed.close()


def test_a_connection_nothing_is_published_on_is_kept_alive(rabbit):
    # RabbitMQ closes a connection after two seconds or so of silence then.
    broker = RabbitBroker(url=f"{rabbit.url}?heartbeat=1", middleware=[])
    broker.declare_queue("q")
    broker.enqueue(message())
    before = set(broker.connections)

    time.sleep(4)
    broker.enqueue(message())

    assert broker.connections == before
    assert all(connection.is_open for connection in before)
    broker.close()


def test_a_queue_that_was_deleted_is_declared_again(broker, rabbit):
    broker.enqueue(message())
    with channel(rabbit.url) as its:
        its.queue_delete("q")

    broker.enqueue(message("again"))

    consumer = broker.consume("q", prefetch=10, timeout=1000)
    assert next_message(consumer).actor_name == "again"
    consumer.close()


def test_whoever_publishes_to_a_rabbitmq_that_does_not_answer_waits_for_seconds_only(broker, rabbit):
    broker.enqueue(message())
    with frozen(rabbit):
        started = time.monotonic()
        with pytest.raises(ConnectionClosed, match="did not confirm within"):
            broker.enqueue(message())
        took = time.monotonic() - started

    assert PATIENCE <= took < PATIENCE + 1
    broker.enqueue(message())


def test_declaring_and_consuming_leave_no_connection_that_nobody_serves(broker):
    consumer = broker.consume("q", prefetch=10, timeout=100)

    assert broker.connections == set()
    consumer.close()


def test_an_acknowledgement_that_cannot_be_given_does_not_hold_the_worker(broker):
    consumer = broker.consume("q", prefetch=10, timeout=1000)
    for name in ("good", "bad"):
        broker.enqueue(message(name))
    good, bad = next_message(consumer), next_message(consumer)
    consumer.connection.close()

    started = time.monotonic()
    consumer.ack(good)
    consumer.nack(bad)

    assert time.monotonic() - started < 2


def test_closing_does_not_wait_for_a_rabbitmq_that_does_not_answer(broker, rabbit):
    consumer = broker.consume("q", prefetch=10, timeout=100)
    assert next(consumer) is None

    with frozen(rabbit):
        started = time.monotonic()
        consumer.close()
        took = time.monotonic() - started

    assert took < FAREWELL + 0.5


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_publishes_on_a_connection_of_its_own(broker):
    broker.enqueue(message("parent"))

    pid = os.fork()
    if pid == 0:  # pragma: no cover - in the child
        status = 1
        with suppress(BaseException):
            assert not broker.connections
            broker.enqueue(message("child"))
            broker.close()
            status = 0
        os._exit(status)

    assert os.waitpid(pid, 0)[1] == 0
    broker.enqueue(message("parent again"))
    consumer = broker.consume("q", prefetch=10, timeout=1000)
    assert [next_message(consumer).actor_name for _ in range(3)] == ["parent", "child", "parent again"]
    consumer.close()


def test_after_closing_it_may_publish_again(broker):
    broker.enqueue(message())
    broker.close()

    broker.enqueue(message())

    assert len(broker.connections) == 1


# --- Workers --------------------------------------------------------------------------------------------------------


@with_database
def test_an_idle_worker_sends_at_once_tries_again_when_due_and_stops_when_told(
    alice, outside, worker, rabbit, eventually
):
    outside.environment["BROKER_URL"] = rabbit.url
    process = worker()

    # The first of all opens connections and reads templates; that is not what idle means.
    publish(outside.environment, alice, 1)
    eventually(lambda: sent() == 1)

    published = [started for started, _ in publish(outside.environment, alice, 9, pause=0.15)]
    eventually(lambda: sent() == 10)
    arrived = [moment for moment, _, _ in outside.mailbox.tries[1:]]
    # By the clock alone it is two of its rounds, one for dispatch and one for delivery: a second and more.
    assert median_seconds(zip(published, arrived, strict=True)) < 0.8

    outside.mailbox.answers["alice@example.com"].extend(["451 Try again later"] * 5)
    publish(outside.environment, alice, 5, pause=0.15)
    eventually(lambda: sent() == 15)
    tried = [moment for moment, _, _ in outside.mailbox.tries[10:]]
    assert 2 <= median_seconds(zip(tried[:5], tried[5:], strict=True)) < 3

    assert stop(process) == 0


@with_database
def test_with_rabbitmq_stopped_publishing_succeeds_and_everything_arrives(alice, outside, worker, rabbit, eventually):
    outside.environment["BROKER_URL"] = rabbit.url
    process = worker()
    publish(outside.environment, alice, 5)
    eventually(lambda: sent() == 5)

    rabbit.stop()
    assert median_seconds(publish(outside.environment, alice, 50)) < 0.3
    eventually(lambda: sent() == 55, seconds=30)

    rabbit.start()
    eventually(lambda: consumers(rabbit.url, "deliver_email") == 1)
    assert len(outside.mailbox.messages) == 55
    assert stop(process) == 0


@with_database
def test_with_rabbitmq_frozen_publishing_succeeds_and_everything_arrives(alice, outside, worker, rabbit, eventually):
    outside.environment["BROKER_URL"] = rabbit.url
    process = worker()
    publish(outside.environment, alice, 1)
    eventually(lambda: sent() == 1)

    with frozen(rabbit):
        assert median_seconds(publish(outside.environment, alice, 10)) < 0.3
        eventually(lambda: sent() == 11)
        assert "wake-up dropped" in output(process)
        assert stop(process) == 0

    assert len(outside.mailbox.messages) == 11


def consumers(url, queue):
    with channel(url) as its:
        return its.queue_declare(queue, passive=True).method.consumer_count
