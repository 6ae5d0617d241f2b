"""Live messages: to the subscribers in the process, or to Redis, and never in the way of whoever publishes."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest
import redis

from notifications import ids, realtime, signals


@pytest.fixture
def heard():
    """Subscribe; return what is heard, with the thread it is said in."""
    said: list = []

    def hear(recipient, notification_id):
        said.append((recipient, notification_id))

    realtime.subscribe(hear)
    yield said
    realtime.unsubscribe(hear)


@pytest.fixture
def deaf_redis(settings):
    """Name a Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "REALTIME_URL": url}
        yield


def test_without_redis_the_subscribers_of_the_process_are_told_at_once(heard):
    item = ids.uuid7()

    realtime.publish(7, item)
    realtime.publish("8", None)

    assert heard == [("7", item), ("8", None)]


def test_nobody_needs_to_listen():
    realtime.publish(7, ids.uuid7())


def test_who_unsubscribed_hears_nothing_more(heard):
    said: list = []
    realtime.subscribe(lambda *message: said.append(message))
    realtime.unsubscribe(realtime._subscribers[-1])

    realtime.publish(7, None)

    assert said == []
    assert heard == [("7", None)]


def test_a_message_names_the_notification_and_nothing_else():
    item = ids.uuid7()

    assert realtime.encode(item) == item.hex
    assert realtime.encode(None) == ""


@pytest.mark.parametrize(
    "message", [b"", b"nonsense", b"\xff\xfe", b"1" * 31], ids=["refresh", "word", "bytes", "short"]
)
def test_what_is_no_id_means_refresh(message):
    assert realtime.decode(message) is None
    item = ids.uuid7()
    assert realtime.decode(item.hex.encode()) == item


def test_publishing_never_waits_for_redis_and_the_loss_is_told(deaf_redis, connect, monkeypatch):
    monkeypatch.setattr(realtime, "PAUSE_AFTER_FAILURE", 0.01)
    monkeypatch.setattr(realtime, "SOCKET_TIMEOUT", 0.1)
    monkeypatch.setattr(realtime, "_sender", realtime._Sender())
    realtime._client.cache_clear()
    all_told = threading.Event()
    lost: list = []

    def listen(error, dropped, **_):
        lost.append(error)
        if dropped == 1000:
            all_told.set()

    connect(signals.live_message_dropped, listen)
    began = time.monotonic()
    for _ in range(1000):
        realtime.publish(7, ids.uuid7())
    took = time.monotonic() - began

    assert took < 0.5
    assert all_told.wait(5)
    assert {type(error) for error in lost} == {redis.TimeoutError}
    assert realtime.is_failing()
    realtime._client.cache_clear()


def test_two_installations_of_one_redis_do_not_hear_each_other():
    assert realtime.channel_prefix(0) != realtime.channel_prefix(1)


@pytest.mark.integration
def test_of_many_only_those_are_published_whom_somebody_listens_for(settings):
    url = os.environ["REDIS_URL"]
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "REALTIME_URL": url}
    keys: dict = {(str(number), ids.uuid7()): None for number in range(2 * realtime.FEW)}
    (heard, notification), (also_heard, _) = list(keys)[3], list(keys)[5]
    with redis.Redis.from_url(url) as client, client.pubsub(ignore_subscribe_messages=True) as listener:
        prefix = realtime.channel_prefix(client.connection_pool.connection_kwargs.get("db", 0))
        listener.subscribe(prefix + heard, prefix + also_heard)
        while not client.pubsub_numsub(prefix + also_heard)[0][1]:
            listener.get_message(timeout=0.1)
        before = client.info("commandstats").get("cmdstat_publish", {"calls": 0})["calls"]

        realtime._sender.send_all(keys)

        said = [message for message in (listener.get_message(timeout=1.0) for _ in range(6)) if message]
        published = client.info("commandstats")["cmdstat_publish"]["calls"] - before
    assert keys == {}
    assert {message["channel"].decode() for message in said} == {prefix + heard, prefix + also_heard}
    assert realtime.decode(said[0]["data"]) == notification
    assert published == 2
    realtime._client.cache_clear()
