"""Live updates as production runs them: uvicorn in a process of its own, PostgreSQL, Redis."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from statistics import median

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection

from notifications import realtime
from notifications.api import stream_token
from notifications.models import Notification
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_batch_notification, publish_notification
from notifications.types import Priority
from tests.chaos.proxy import Proxy
from tests.factories import make_item
from tests.integration.conftest import database_url
from tests.integration.streaming import Listening, WebServer
from tests.notifications.api.asgi import in_thread, log_in
from tests.servers import RedisServer, find_redis

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def serve():
    """Return a function that starts a web server, with other constants and variables if need be."""
    started: list = []

    def serve(environment=None, **constants):
        server = WebServer({**os.environ, "DATABASE_URL": database_url(), **(environment or {})}, **constants)
        started.append(server)
        return server

    yield serve
    for server in started:
        server.close()


@pytest.fixture
def own_redis(settings):
    """Give a Redis that may be stopped; this process publishes to it."""
    folder = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
    redis = RedisServer(find_redis(), folder)
    redis.start()
    publish_by(settings, redis.url)
    yield redis
    redis.stop()
    shutil.rmtree(folder)


def publish_by(settings, url):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "REALTIME_URL": url}


def ticket(user):
    session_key = log_in(user)
    granted = stream_token.Pass(recipient=str(user.pk), language="en")
    return {"session_key": session_key, "token": stream_token.issue(granted, session_key)}


def people(number):
    users = [get_user_model()(username=f"person{index}") for index in range(number)]
    return get_user_model().objects.bulk_create(users)


async def listen(server, tickets):
    """Open a stream for each ticket; return them when all are ready."""
    listening = await asyncio.gather(*(Listening.open(server.port, **one) for one in tickets))
    for one in listening:
        await one.ready()
    return listening


async def close(listening):
    await asyncio.gather(*(one.close() for one in listening))


def test_fifty_people_get_all_of_their_two_hundred_events_and_nothing_of_anybody_elses(serve, template):
    users = people(50)
    tickets = [ticket(user) for user in users]
    server = serve()
    waited: list = []

    def publish(number):
        for index in range(number):
            publish_batch_notification("ORDER_CREATED", recipients=users, variables={"order_number": str(index)})
        while dispatch_batch(Priority.LOW, more=lambda: None):
            pass

    async def story():
        listening = await listen(server, tickets)
        for total in range(10, 201, 10):
            await in_thread(publish, 10)
            committed = time.monotonic()
            for one in listening:
                await one.until(lambda one=one, total=total: len(one.named("item")) >= total)
            waited.append((time.monotonic() - committed) * 1000)
        await close(listening)
        return listening

    listening = asyncio.run(story())
    print(f"500 frames to 50 people, ms after the last commit: {median(waited):.0f}, at most {max(waited):.0f}")  # noqa: T201
    for user, one in zip(users, listening, strict=True):
        own = [str(pk) for pk in Notification.objects.filter(recipient=user).values_list("pk", flat=True)]
        assert len(own) == 200
        assert sorted(data["item"]["id"] for data in one.named("item")) == sorted(own)
        assert one.named("item")[-1]["counts"]["unread"] == 99
    assert "Traceback" not in server.output()


def test_five_hundred_idle_streams_hold_no_connection_and_no_thread(serve):
    users = people(100)
    tickets = [ticket(user) for user in users for _ in range(5)]
    server = serve(hub__HEARTBEAT=0.5)

    def held():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'web-server'")
            return cursor.fetchone()[0]

    async def story():
        first = await listen(server, tickets[:1])
        one = server.numbers()
        others = await listen(server, tickets[1:])
        many = server.numbers()
        async with asyncio.timeout(10):
            while await in_thread(held) > 0:
                await asyncio.sleep(0.1)
        counted = [await in_thread(held) for _ in range(20)]
        await close([*first, *others])
        return one, many, counted

    one, many, counted = asyncio.run(story())
    print(f"threads, kB: {one} with one stream, {many} with 500; connections: {max(counted)}")  # noqa: T201
    assert max(counted) == 0
    assert many[0] == one[0]


def test_a_redis_that_comes_back_is_listened_to_again(serve, own_redis, alice, template):
    tickets = [ticket(alice)]
    server = serve({"REDIS_URL": own_redis.url})

    async def story():
        (one,) = listening = await listen(server, tickets)
        own_redis.stop()
        async with asyncio.timeout(10):
            while "live messages interrupted" not in server.output():
                await asyncio.sleep(0.05)
        missed = await in_thread(make_item, alice, template)
        realtime.publish(alice.pk, missed.pk)
        own_redis.start()
        await one.ready(times=2)
        item = await in_thread(make_item, alice, template)
        async with asyncio.timeout(10):
            while realtime.is_failing():
                realtime.publish(alice.pk, item.pk)
                await asyncio.sleep(0.1)
        realtime.publish(alice.pk, item.pk)
        await one.until(lambda: str(item.pk) in [data["item"]["id"] for data in one.named("item")])
        await close(listening)

    asyncio.run(story())
    assert server.output().count("live messages interrupted") == 1
    assert "Traceback" not in server.output()


def test_a_redis_that_is_not_there_yet_delays_ready_and_nothing_else(serve, own_redis, alice):
    tickets = [ticket(alice)]
    own_redis.stop()
    server = serve({"REDIS_URL": own_redis.url})

    async def story():
        one = await Listening.open(server.port, **tickets[0])
        async with asyncio.timeout(10):
            while "live messages interrupted" not in server.output():
                await asyncio.sleep(0.05)
        assert one.events == []
        own_redis.start()
        await one.ready()
        await one.close()

    asyncio.run(story())


def test_while_redis_swallows_everything_publishing_returns_at_once_and_streams_recover(
    serve, own_redis, alice, template, settings
):
    tickets = [ticket(alice)]
    item = make_item(alice, template)
    with Proxy(own_redis.url) as proxy:
        publish_by(settings, proxy.url)
        server = serve({"REDIS_URL": proxy.url}, reader__PATIENCE=0.5)

        async def story():
            (one,) = listening = await listen(server, tickets)
            proxy.swallow()
            began = time.monotonic()
            for _ in range(1000):
                realtime.publish(alice.pk, item.pk)
            took = time.monotonic() - began
            async with asyncio.timeout(10):
                while "live messages interrupted" not in server.output() or not realtime.is_failing():
                    await asyncio.sleep(0.05)
            proxy.forward()
            await one.ready(times=2)
            async with asyncio.timeout(10):
                while realtime.is_failing():
                    realtime.publish(alice.pk, item.pk)
                    await asyncio.sleep(0.1)
            realtime.publish(alice.pk, item.pk)
            await one.until(lambda: one.named("item"))
            await close(listening)
            return took

        took = asyncio.run(story())
    print(f"1000 × publish() took {took * 1000:.1f} ms")  # noqa: T201
    assert took < 0.1


def log_out(user):
    Session.objects.all().delete()


def deactivate(user):
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)


def change_password(user):
    user.set_password("another one")
    user.save()


def test_whoever_may_no_longer_listen_is_sent_away_within_half_a_minute(serve, alice, bob, charlie):
    """With the constants of production, so that it cannot be quick; the three wait together."""
    ends = {alice: deactivate, bob: change_password, charlie: log_out}
    tickets = {user: ticket(user) for user in ends}
    server = serve()

    async def story():
        listening = await listen(server, tickets.values())
        # Only Charlie's: alice and bob end by what is said of their accounts.
        for user, end in ends.items():
            if user == charlie:
                await in_thread(Session.objects.filter(session_key=tickets[user]["session_key"]).delete)
            else:
                await in_thread(end, user)
        began = time.monotonic()
        for one in listening:
            await one.until(lambda one=one: one.closed, seconds=30)
        return [one.events[-1] for one in listening], time.monotonic() - began

    said, took = asyncio.run(story())
    print(f"sent away after {took:.1f} s")  # noqa: T201
    assert said == [("bye", {"reason": "logged_out"})] * 3
    assert took <= 30


@pytest.mark.parametrize("end", [log_out, deactivate, change_password])
def test_each_of_the_three_ends_a_stream(serve, alice, end):
    tickets = [ticket(alice)]
    server = serve(admission__INTERVAL=0.5)

    async def story():
        (one,) = await listen(server, tickets)
        await in_thread(end, alice)
        await one.until(lambda: one.closed, seconds=5)
        return one.events[-1]

    assert asyncio.run(story()) == ("bye", {"reason": "logged_out"})


def test_more_than_there_is_room_for_get_an_answer_that_does_not_end_the_browsers_trying(serve, alice):
    tickets = [ticket(alice) for _ in range(7)]
    server = serve()

    async def story():
        listening = await listen(server, tickets[:6])
        seventh = await Listening.open(server.port, **tickets[6])
        await seventh.until(lambda: seventh.closed)
        await close(listening)
        return seventh

    seventh = asyncio.run(story())
    assert seventh.head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert seventh.events == [("bye", {"reason": "full"})]


def test_a_token_and_a_cookie_of_two_people_open_nothing(serve, alice, charlie):
    mine, theirs = ticket(alice), ticket(charlie)
    server = serve()

    async def story():
        crossed = [
            await Listening.open(server.port, token=mine["token"], session_key=theirs["session_key"]),
            await Listening.open(server.port, token=theirs["token"], session_key=mine["session_key"]),
            await Listening.open(server.port, token=mine["token"]),
        ]
        for one in crossed:
            await one.until(lambda one=one: one.closed)
        return [one.events for one in crossed]

    assert asyncio.run(story()) == [[("bye", {"reason": "token"})]] * 3


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_ends_its_streams_and_itself_at_once(serve, how):
    tickets = [ticket(user) for user in people(20) for _ in range(5)]
    server = serve()

    async def story():
        listening = await listen(server, tickets)
        began = time.monotonic()
        server.process.send_signal(how)
        for one in listening:
            await one.until(lambda one=one: one.closed, seconds=5)
        code = await asyncio.to_thread(server.process.wait, 10)
        return [one.events[-1] for one in listening], time.monotonic() - began, code

    said, took, code = asyncio.run(story())
    print(f"100 streams ended, and the server, after {took:.2f} s")  # noqa: T201
    assert said == [("bye", {"reason": "stopping"})] * 100
    assert took < 2
    # uvicorn ends by the signal that ended it, as a process should.
    assert code in (0, -how)
    assert not [word for word in ("ERROR", "Traceback", "Exception", "Cancel ") if word in server.output()]


def test_an_item_is_shown_a_moment_after_its_commit(serve, alice, template):
    """From publish() in one process to the frame in another's browser, one at a time: most of it is the gathering."""
    tickets = [ticket(alice)]
    server = serve()
    waited: list = []

    async def story():
        (one,) = listening = await listen(server, tickets)
        for number in range(1, 51):
            item = await in_thread(make_item, alice, template)
            committed = time.monotonic()
            realtime.publish(alice.pk, item.pk)
            await one.until(lambda number=number: len(one.named("item")) >= number)
            waited.append((time.monotonic() - committed) * 1000)
        await close(listening)

    asyncio.run(story())
    print(f"commit to frame, ms: median {median(waited):.0f}, at most {max(waited):.0f}")  # noqa: T201
    assert median(waited) < 1000


def test_what_a_worker_dispatches_reaches_the_browser(serve, alice, outside, worker):
    tickets = [ticket(alice)]
    server = serve(outside.environment)
    worker()

    async def story():
        (one,) = listening = await listen(server, tickets)
        variables = {"order_number": "7", "tracking_code": "TRACK-1"}
        await in_thread(
            publish_notification, "ORDER_SHIPPED", recipient=alice, variables=variables, channels=["in_app"]
        )
        await one.until(lambda: one.named("item"))
        await close(listening)
        return one.named("item")

    (told,) = asyncio.run(story())
    assert told["item"]["template"] == "ORDER_SHIPPED"
    assert told["counts"]["unread"] == 1


def test_other_requests_are_answered_while_streams_are_open(serve, alice):
    tickets = [ticket(alice)]
    server = serve()

    async def story():
        listening = await listen(server, tickets)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /health/live HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await close(listening)
        return answer

    assert asyncio.run(story()).startswith(b"HTTP/1.1 200 OK")
