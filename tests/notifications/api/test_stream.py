"""The stream as a browser sees it. Charlie must hear nothing of Alice's."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from contextlib import AsyncExitStack

import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections
from django.utils import timezone
from django.utils.translation import gettext_lazy

from notifications import realtime, registry, signals
from notifications.api import admission, frames, hub, listener, stream, stream_token
from notifications.models import Notification
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification, resolve
from notifications.types import Priority
from tests.factories import make_item, make_template
from tests.notifications.api.asgi import in_thread, log_in, opened, scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_redis(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "REALTIME_URL": ""}


@pytest.fixture
def quick(monkeypatch):
    """Look at the sessions more often than production does."""
    monkeypatch.setattr(admission, "INTERVAL", 0.1)


@pytest.fixture
def application():
    """Give a stream of its own, before an application that answers 418."""

    async def teapot(scope, receive, send):
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return stream.NotificationStreams(teapot)


def ticket(user, language="en"):
    """Return what opens a stream of this user: a session, and a token for it."""
    session_key = log_in(user)
    return {"session_key": session_key, "token": token(user, session_key, language)}


def token(user, session_key, language="en"):
    return stream_token.issue(stream_token.Pass(recipient=str(user.pk), language=language), session_key)


def alter_settings(settings, **changes):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, **changes}


def test_a_stream_begins_with_its_manners_and_says_when_it_listens(application, alice):
    request = ticket(alice)

    async def story():
        async with opened(application, **request) as browser:
            assert await browser.next() == ("ready", {})
        return browser

    browser = asyncio.run(story())
    assert browser.status == 200
    assert browser.headers == {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "vary": "Cookie",
        "x-accel-buffering": "no",
    }
    assert browser.text == "retry: 3000\n\nevent: ready\ndata: {}\n\n"


def test_a_new_item_comes_as_the_list_shows_it_with_the_counts(application, alice, template, client):
    request = ticket(alice)

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            item = await in_thread(make_item, alice, template)
            realtime.publish(alice.pk, item.pk)
            return await browser.next()

    name, data = asyncio.run(story())
    client.force_login(alice)
    assert name == "item"
    assert data["item"] == client.get("/api/notifications/").json()["results"][0]
    assert data["counts"] == client.get("/api/notifications/counts/").json()


def test_everybody_hears_of_their_own_in_every_tab(application, alice, charlie, template):
    tickets = [ticket(alice), ticket(alice), ticket(charlie)]

    async def story():
        async with AsyncExitStack() as stack:
            browsers = [await stack.enter_async_context(opened(application, **one)) for one in tickets]
            for browser in browsers:
                await browser.next("ready")
            mine = await in_thread(make_item, alice, template)
            realtime.publish(alice.pk, mine.pk)
            for browser in browsers[:2]:
                assert (await browser.next())[1]["item"]["id"] == str(mine.pk)
            theirs = await in_thread(make_item, charlie, template)
            realtime.publish(charlie.pk, theirs.pk)
            assert (await browsers[2].next())[1]["item"]["id"] == str(theirs.pk)
            return [len(browser.events) for browser in browsers]

    assert asyncio.run(story()) == [2, 2, 2]


def test_an_item_announced_to_the_wrong_person_is_not_shown_to_them(application, alice, charlie, template):
    request = ticket(charlie)
    item = make_item(alice, template, title="Alice's secret")

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            realtime.publish(charlie.pk, item.pk)
            return await browser.next(), browser.text

    (name, data), text = asyncio.run(story())
    assert (name, data["id"]) == ("removed", str(item.pk))
    assert data["counts"]["unread"] == 0
    assert "secret" not in text


def test_an_item_announced_to_two_is_shown_to_its_owner_only(alice, charlie, template):
    item = make_item(alice, template, title="Alice's secret")

    both = {str(alice.pk), str(charlie.pk)}
    told = frames.build({str(alice.pk): {item.pk}, str(charlie.pk): {item.pk}}, {"en": both})

    assert b"secret" in told[str(alice.pk), "en"]
    assert b"secret" not in told[str(charlie.pk), "en"]


def test_an_item_announced_to_somebody_else_is_not_shown_to_its_owner_either(alice, charlie, template):
    mine, unannounced = make_item(alice, template), make_item(alice, template)
    both = {str(alice.pk), str(charlie.pk)}

    told = frames.build({str(alice.pk): {mine.pk}, str(charlie.pk): {unannounced.pk}}, {"en": both})

    assert str(mine.pk).encode() in told[str(alice.pk), "en"]
    assert str(unannounced.pk).encode() not in told[str(alice.pk), "en"]


def test_a_batch_costs_two_queries_whatever_its_size(django_assert_num_queries, template, monkeypatch):
    people = [get_user_model().objects.create_user(f"person{number}") for number in range(20)]
    batch = {str(person.pk): {make_item(person, template).pk for _ in range(3)} for person in people}

    monkeypatch.setattr(connections, "close_all", lambda: None)
    with django_assert_num_queries(2):
        told = frames.build(batch, {"en": batch.keys()})

    assert told.keys() == {(recipient, "en") for recipient in batch}
    assert all(text.count(b"event: item") == 3 for text in told.values())


def test_buttons_are_in_the_language_of_each_browser(application, alice, template, monkeypatch):
    monkeypatch.setattr(registry, "_answers", {})
    registry.inbox_action("confirm", text=gettext_lazy("Yes"))(lambda pressed: "")
    item = make_item(alice, template, actions=[{"name": "confirm", "run_at": None, "result": ""}])
    english, german = ticket(alice), ticket(alice, language="de")

    async def story():
        async with opened(application, **english) as one, opened(application, **german) as other:
            await one.next("ready")
            await other.next("ready")
            realtime.publish(alice.pk, item.pk)
            found = [await one.next(), await other.next()]
        return [data["item"]["actions"][0]["text"] for _, data in found]

    assert asyncio.run(story()) == ["Yes", "Ja"]


def test_many_at_once_are_one_refresh(application, alice, template):
    request = ticket(alice)
    items = [make_item(alice, template) for _ in range(hub.MANY + 1)]

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            for item in items:
                realtime.publish(alice.pk, item.pk)
            return await browser.next()

    name, data = asyncio.run(story())
    assert (name, data["counts"]["unread"]) == ("refresh", hub.MANY + 1)


def test_changes_of_one_item_within_a_moment_are_one_frame(application, alice, template):
    request = ticket(alice)
    items = [make_item(alice, template) for _ in range(2)]

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            for _ in range(10):
                realtime.publish(alice.pk, items[1].pk)
                realtime.publish(alice.pk, items[0].pk)
            await browser.next()
            await browser.next()
            realtime.publish(alice.pk, None)
            await browser.next("refresh")
            return browser.named("item")

    told = asyncio.run(story())
    assert [data["item"]["id"] for _, data in told] == [str(item.pk) for item in items]


def test_what_was_hidden_is_removed(application, alice, template):
    request = ticket(alice)
    item = make_item(alice, template, hidden_at=timezone.now())

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            realtime.publish(alice.pk, item.pk)
            return await browser.next()

    name, data = asyncio.run(story())
    assert (name, data["id"]) == ("removed", str(item.pk))


def test_a_published_event_arrives_after_its_commit_and_again_when_it_is_resolved(application, alice, template):
    request = ticket(alice)

    def publish():
        publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "7"}, about="orders.order:7")
        while dispatch_batch(Priority.LOW, more=lambda: None):
            pass

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            await in_thread(publish)
            _, new = await browser.next("item")
            await in_thread(resolve, "orders.order:7")
            _, archived = await browser.next("item")
            return new["item"], archived["item"]

    new, archived = asyncio.run(story())
    assert (new["title"], new["archived_at"]) == ("Order 7", None)
    assert archived["id"] == new["id"]
    assert archived["archived_at"] is not None


def test_what_is_not_in_the_inbox_is_not_announced(alice, monkeypatch):
    said: list = []
    monkeypatch.setattr(realtime, "publish_all", said.extend)
    make_template("MAIL_ONLY", contents={("email", ""): {"title": "Hello", "body": "You."}})
    publish_notification("MAIL_ONLY", recipient=alice, variables={"order_number": "7"})
    dispatch_batch(Priority.LOW, more=lambda: None)

    assert Notification.objects.filter(recipient=alice, listed_at=None).count() == 1
    assert said == []


def _refused(application, **request):
    async def story():
        async with opened(application, **request) as browser:
            await browser.until(lambda: browser.closed)
        return browser

    browser = asyncio.run(story())
    assert browser.status == 200
    assert browser.headers["content-type"] == "text/event-stream"
    return browser


def test_without_a_good_token_nothing_opens(application, alice):
    good = ticket(alice)
    for token in ("", "nonsense", good["token"][:-1], good["token"] + "x", "%00", "é"):
        browser = _refused(application, token=token, session_key=good["session_key"])
        assert browser.events == [("bye", {"reason": "token"})], token


def test_a_token_opens_nothing_in_another_session(application, alice, charlie):
    mine, theirs = ticket(alice), ticket(charlie)
    another_of_mine = log_in(alice)

    for session_key in (theirs["session_key"], another_of_mine, ""):
        browser = _refused(application, token=mine["token"], session_key=session_key)
        assert browser.events == [("bye", {"reason": "token"})]


def test_a_token_is_good_for_a_minute(application, alice):
    request = ticket(alice)
    with time_machine.travel(time.time() + stream_token.EXPIRES_IN + 1, tick=False):
        late = stream_token.check(request["token"], request["session_key"])

    assert late is None
    granted = stream_token.check(request["token"], request["session_key"])
    assert granted == stream_token.Pass(recipient=str(alice.pk), language="en")


def test_a_token_does_not_hold_the_session_key(alice):
    request = ticket(alice)

    assert request["session_key"] not in request["token"]


def test_more_streams_than_a_user_may_have_are_told_to_come_later(application, alice, bob, settings):
    alter_settings(settings, STREAMS_PER_USER=2)
    tickets = [ticket(alice) for _ in range(3)]
    request_of_bob = ticket(bob)

    async def story():
        async with opened(application, **tickets[0]) as first, opened(application, **tickets[1]) as second:
            await first.next("ready")
            await second.next("ready")
            async with opened(application, **tickets[2]) as third, opened(application, **request_of_bob) as other:
                await third.until(lambda: third.closed)
                await other.next("ready")
        async with opened(application, **tickets[2]) as again:
            await again.next("ready")
        return third

    third = asyncio.run(story())
    assert third.status == 200
    assert third.text == 'retry: 30000\n\nevent: bye\ndata: {"reason":"full"}\n\n'


def test_more_streams_than_the_process_may_have_are_told_to_come_later(application, alice, bob, settings):
    alter_settings(settings, STREAMS_PER_PROCESS=1)
    tickets = ticket(alice), ticket(bob)

    async def story():
        async with opened(application, **tickets[0]) as first, opened(application, **tickets[1]) as second:
            await first.next("ready")
            await second.until(lambda: second.closed)
            return second.events

    assert asyncio.run(story()) == [("bye", {"reason": "full"})]


def log_out(user):
    Session.objects.all().delete()


def deactivate(user):
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)


def change_password(user):
    user.set_password("another one")
    user.save()


def let_expire(user):
    Session.objects.update(expire_date=timezone.now())


def delete(user):
    user.delete()


ENDS = [log_out, deactivate, change_password, let_expire, delete]


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_the_session_is_the_end_of_the_stream(application, alice, bob, quick, end):
    tickets = ticket(alice), ticket(bob)

    async def story():
        async with opened(application, **tickets[0]) as browser, opened(application, **tickets[1]) as other:
            await browser.next("ready")
            await other.next("ready")
            await in_thread(end, alice)
            said = await browser.next("bye")
            await browser.until(lambda: browser.closed)
            return said, other.named("bye") if end in (deactivate, change_password, delete) else []

    assert asyncio.run(story()) == (("bye", {"reason": "logged_out"}), [])


@pytest.mark.parametrize("end", ENDS)
def test_a_session_that_ended_opens_no_stream_with_a_token_of_before(application, alice, template, end):
    request = ticket(alice)
    end(alice)

    assert _refused(application, **request).events == [("bye", {"reason": "logged_out"})]


def test_a_session_of_somebody_else_is_not_ours(application, alice, charlie):
    session_key = log_in(charlie)

    request = {"session_key": session_key, "token": token(alice, session_key)}

    assert _refused(application, **request).events == [("bye", {"reason": "logged_out"})]


def test_the_sessions_are_looked_at_often_enough():
    assert admission.INTERVAL <= 25


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_other_methods_are_refused(application, method):
    said: list = []

    async def story():
        async def send(message):
            said.append(message)

        await application(scope(method=method), None, send)

    asyncio.run(story())
    assert said[0]["status"] == 405
    assert dict(said[0]["headers"])[b"allow"] == b"GET"


@pytest.mark.parametrize(
    ("path", "root_path", "status"),
    [
        ("/api/notifications/stream", "", 200),
        ("/api/notifications/stream/", "", 200),
        ("/below/api/notifications/stream/", "/below", 200),
        ("/api/notifications/stream/token/", "", 418),
        ("/api/notifications/", "", 418),
        ("/", "", 418),
    ],
)
def test_only_the_streams_own_address_is_the_streams(application, path, root_path, status):
    async def story():
        async with opened(application, path=path, root_path=root_path) as browser:
            await browser.until(lambda: browser.closed)
        return browser.status

    assert asyncio.run(story()) == status


def test_what_is_no_request_is_handed_on():
    handed: list = []

    async def application(scope, receive, send):
        handed.append(scope["type"])

    async def nothing(message=None):
        return {}

    asyncio.run(stream.NotificationStreams(application)({"type": "lifespan"}, nothing, nothing))

    assert handed == ["lifespan"]


def test_a_silent_stream_beats(application, alice, monkeypatch):
    monkeypatch.setattr(hub, "HEARTBEAT", 0.05)
    request = ticket(alice)

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            await browser.until(lambda: browser.text.count(": beat\n\n") >= 2)

    asyncio.run(story())
    assert listener.BEAT == b": beat\n\n"


def test_a_browser_that_reads_slowly_costs_a_bounded_queue_and_is_told_to_fetch_everything(
    application, alice, template
):
    request = ticket(alice)
    item = make_item(alice, template)

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            browser.reads.clear()
            (one,) = application._hub._everybody
            # The first of these is being sent when the browser stops to read.
            for _ in range(3 * listener.CAPACITY):
                one.put(listener.frame("item", {}))
                await asyncio.sleep(0)
                assert len(one._waiting) <= listener.CAPACITY
            browser.reads.set()
            realtime.publish(alice.pk, item.pk)
            while (said := await browser.next())[1].get("item", {}).get("id") != str(item.pk):
                pass
            return browser, said

    browser, _ = asyncio.run(story())
    assert len(browser.named("ready")) >= 2
    assert len(browser.named("item")) < 2 * listener.CAPACITY


def test_a_browser_that_reads_no_more_is_given_up(application, alice, monkeypatch):
    monkeypatch.setattr(stream, "STALLED", 0.1)
    request = ticket(alice)

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            browser.reads.clear()
            realtime.publish(alice.pk, None)
            await browser.until(lambda: not application._hub._everybody)

    asyncio.run(story())


def test_a_database_that_does_not_answer_costs_a_refresh_and_no_stream(application, alice, monkeypatch, hear):
    monkeypatch.setattr(hub, "PAUSE_AFTER_FAILURE", 0.05)
    failed = hear(signals.live_database_failed, "part")
    request = ticket(alice)
    build = frames.build
    attempts: list = []

    def refuse_once(*batch):
        attempts.append(batch)
        if len(attempts) == 1:
            raise OperationalError
        return build(*batch)

    monkeypatch.setattr(frames, "build", refuse_once)

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            realtime.publish(alice.pk, None)
            return await browser.next()

    assert asyncio.run(story())[0] == "refresh"
    assert failed == ["frames"]


@pytest.mark.parametrize(("error", "has_traceback"), [(OperationalError(), False), (ValueError(), True)], ids=repr)
def test_an_outage_is_a_line_and_a_fault_of_ours_a_traceback(caplog, error, has_traceback):
    signals.live_database_failed.send(None, part="frames", error=error)

    (record,) = caplog.records
    assert record.getMessage().startswith("live updates could not read the database part=frames error=")
    assert bool(record.exc_info) == has_traceback


def test_nobody_is_sent_away_because_the_database_does_not_answer(application, alice, quick, monkeypatch, hear):
    monkeypatch.setattr(admission, "PAUSE_AFTER_FAILURE", 0.05)
    failed = hear(signals.live_database_failed, "part")
    request = ticket(alice)
    standing = admission._standing
    answers = {"refused": False}

    def refuse(logins):
        if answers["refused"]:
            raise OperationalError
        return standing(logins)

    monkeypatch.setattr(admission, "_standing", refuse)

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            answers["refused"] = True
            await browser.until(lambda: len(failed) >= 2)
            answers["refused"] = False
            await in_thread(log_out, alice)
            return await browser.next()

    assert asyncio.run(story()) == ("bye", {"reason": "logged_out"})
    assert set(failed) == {"sessions"}


def test_when_the_last_browser_leaves_nothing_stays(application, alice):
    request = ticket(alice)
    before = signal.getsignal(signal.SIGTERM), threading.active_count()

    async def story():
        for _ in range(2):
            async with opened(application, **request) as browser:
                await browser.next("ready")
            await browser.until(lambda: len(asyncio.all_tasks()) == 1)
            assert realtime._subscribers == ()
            assert not application._hub._streams
            assert not application._hub._listeners

    asyncio.run(story())
    deadline = time.monotonic() + 5
    while threading.active_count() > before[1] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (signal.getsignal(signal.SIGTERM), threading.active_count()) == before


def test_a_server_that_is_told_to_stop_says_good_bye_and_hears_it_itself(application, alice):
    request = ticket(alice)
    heard: list = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            signal.raise_signal(signal.SIGTERM)
            said = await browser.next()
            await browser.until(lambda: browser.closed)
        async with opened(application, **request) as late:
            await late.until(lambda: late.closed)
        return said, late.events[0]

    try:
        assert asyncio.run(story()) == (("bye", {"reason": "stopping"}), ("bye", {"reason": "stopping"}))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_the_connections_of_the_hubs_threads_are_given_back(application, alice, template, monkeypatch):
    """The request's own thread may keep its connection; the stream's threads keep none while nothing happens."""
    request = ticket(alice)
    item = make_item(alice, template)

    async def story():
        async with opened(application, **request) as browser:
            await browser.next("ready")
            realtime.publish(alice.pk, item.pk)
            await browser.next("item")
            threads = (application._hub._item_thread, application._hub._session_thread)
            return [await asyncio.wrap_future(one.submit(lambda: connection.connection)) for one in threads]

    assert asyncio.run(story()) == [None, None]


URL = "/api/notifications/stream/token/"


def test_a_server_that_cannot_stream_says_so(client, alice):
    client.force_login(alice)

    assert client.post(URL).json() == {"url": None, "expires_in": 60, "poll_seconds": 15}


def test_the_token_leads_to_the_stream(application, async_client, alice):
    async def story():
        await async_client.aforce_login(alice)
        answer = await async_client.post(URL)
        session_key = async_client.cookies["sessionid"].value
        path, _, query = answer.json()["url"].partition("?token=")
        async with opened(application, path=path, token=query, session_key=session_key) as browser:
            await browser.next("ready")
        # Of the thread in which the client has run what is not asynchronous.
        await sync_to_async(connections.close_all)()
        return answer

    answer = asyncio.run(story())
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["url"].startswith("/api/notifications/stream/?token=")


def test_a_token_needs_a_login_and_a_csrf_token(client, alice):
    assert client.post(URL).status_code == 403
    client.force_login(alice)
    client.handler.enforce_csrf_checks = True
    assert client.post(URL).status_code == 403
    assert client.get(URL).status_code == 405
