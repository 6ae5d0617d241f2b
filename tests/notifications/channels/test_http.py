"""Requests to providers: bounded in time and size, and clear about whether anything was sent."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest

from notifications.channels.http import MAX_BODY, Http, error_of, retry_after, safe_code
from notifications.exceptions import (
    AmbiguousError,
    MisconfiguredError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from notifications.types import Reason
from tests.providers.server import (
    Answer,
    Close,
    Cut,
    Flood,
    Hang,
    Reset,
    Server,
    bomb,
    never_final,
    said,
    slow_body,
    slow_headers,
)

SOON = timedelta(seconds=0.4)
#: Seconds within which a request of at most `SOON` is over, on a busy machine.
OVER = 5.0


@pytest.fixture
def http():
    with closing(Http(timeout=timedelta(seconds=10))) as client:
        yield client


@pytest.fixture
def hasty():
    """A client that waits for no more than `SOON`."""
    with closing(Http(timeout=SOON)) as client:
        yield client


def test_an_answer_is_what_was_said(http):
    with Server(said(201, {"sid": "SM1"}, X_One="1")) as server:
        answer = http.request("POST", f"{server.url}/a?b=c", headers={"X-Two": "2"}, content=b"body")

    (asked,) = server.requests
    assert (answer.status, answer.is_success, answer.json(), answer.headers["x-one"]) == (
        201,
        True,
        {"sid": "SM1"},
        "1",
    )
    assert (asked.method, asked.path, asked.body, asked.headers["x-two"]) == ("POST", "/a?b=c", b"body", "2")
    assert asked.headers["accept-encoding"] == "identity"


def test_a_connection_is_used_again(http):
    with Server() as server:
        for _ in range(5):
            http.request("POST", server.url)

    assert (len(server.requests), server.connections) == (5, 1)


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(http):
    with Server(Answer(headers={"Connection": "close"})) as server:
        assert http.request("POST", server.url).status == 200
        assert http.request("POST", server.url).status == 200

    assert server.connections == 2


def test_many_threads_share_a_client(http):
    statuses = []
    with Server() as server:
        threads = [
            threading.Thread(target=lambda: statuses.append(http.request("POST", server.url).status)) for _ in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert statuses == [200] * 40


def test_a_child_of_a_fork_has_connections_of_its_own(http):
    with Server() as server:
        http.request("POST", server.url, content=b"parent")
        child = os.fork()
        if not child:  # pragma: no cover - another process
            os._exit(0 if http.request("POST", server.url, content=b"child").status == 200 else 1)
        _, status = os.waitpid(child, 0)
        http.request("POST", server.url, content=b"parent")

    assert status == 0
    assert [request.body for request in server.requests] == [b"parent", b"child", b"parent"]
    assert server.connections == 2


def test_nothing_was_sent_where_nobody_listens(http):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(TransientError) as failed:
        http.request("POST", f"http://127.0.0.1:{port}/secret")

    assert (failed.value.code, str(failed.value)) == ("ConnectError", "The server could not be reached.")


def test_nothing_was_sent_where_no_name_is_found():
    def resolve(host, port, seconds):
        raise socket.gaierror(-2, "unknown")

    with pytest.raises(TransientError):
        Http(timeout=SOON, resolve=resolve).request("POST", "http://hooks.example.com/")


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")], ids=["name", "label"]
)
def test_nothing_was_sent_where_the_system_finds_no_name(monkeypatch, error):
    def getaddrinfo(*_, **__):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(TransientError) as failed:
        Http(timeout=SOON).request("POST", "http://hooks.example.com/")

    assert failed.value.code == "ConnectError"


def test_nothing_was_sent_while_a_name_is_looked_up_for_too_long(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30) and [])
    started = time.monotonic()

    with pytest.raises(TransientError) as failed:
        Http(timeout=SOON).request("POST", "http://hooks.example.com/")

    over.set()
    assert failed.value.code == "ConnectTimeout"
    assert time.monotonic() - started < OVER


def test_nothing_was_sent_when_the_other_side_speaks_no_tls():
    with Server() as server, closing(Http(timeout=timedelta(seconds=2))) as client, pytest.raises(TransientError):
        client.request("POST", f"https://127.0.0.1:{server.port}/")


def test_tls_asks_for_the_name_and_not_for_the_address(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PRIVATE_HOSTS": ("hooks.example.com",)}
    client = Http(timeout=timedelta(seconds=2), guarded=True, resolve=lambda *_: ["127.0.0.1"])
    with Server() as server, closing(client), pytest.raises(TransientError):
        client.request("POST", f"https://hooks.example.com:{server.port}/")

    # The first message of TLS tells it in the open (RFC 6066 §3).
    assert b"hooks.example.com" in server.heard


def test_the_next_address_of_a_name_is_tried():
    client = Http(timeout=timedelta(seconds=5), resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])
    with Server() as server, closing(client):
        # Listens on 127.0.0.1 alone.
        assert client.request("POST", f"http://hooks.example.com:{server.port}/").status == 200


@pytest.mark.parametrize("answer", [Hang, Reset, Close, slow_headers, never_final])
def test_what_was_sent_without_an_answer_is_ambiguous(hasty, answer):
    started = time.monotonic()

    with Server(answer()) as server, pytest.raises(AmbiguousError):
        hasty.request("POST", server.url, content=b"body")

    assert time.monotonic() - started < OVER
    assert len(server.requests) == 1


def test_a_body_that_never_ends_changes_nothing_about_the_status(hasty):
    started = time.monotonic()

    with Server(slow_body()) as server:
        answer = hasty.request("POST", server.url)

    assert answer.status == 200
    assert time.monotonic() - started < OVER


def test_a_reset_within_the_body_changes_nothing_about_the_status(http):
    with Server(Cut(b"HTTP/1.1 201 Told\r\nContent-Length: 100\r\n\r\n{")) as server:
        answer = http.request("POST", server.url)

    assert (answer.status, answer.json()) == (201, None)


def test_a_gigabyte_is_read_for_64_kilobytes(http):
    flood = Flood()
    with Server(flood) as server:
        answer = http.request("POST", server.url)

    assert len(answer.body) == MAX_BODY
    # What is under way when the connection ends fills the buffers of both sides.
    assert flood.sent < 64 * 2**20


def test_a_bomb_is_not_unpacked(http):
    with Server(bomb()) as server:
        answer = http.request("POST", server.url)

    assert answer.status == 200
    assert len(answer.body) <= MAX_BODY
    assert answer.json() is None


def test_endless_headers_are_no_answer(http):
    with Server(Answer(headers={"X-Long": "a" * 2**20})) as server, pytest.raises(AmbiguousError):
        http.request("POST", server.url)


def test_what_is_no_http_is_no_answer(http):
    class Noise:
        def write(self, connection, server):
            connection.sendall(b"220 mail.example.com ESMTP\r\n")
            raise ConnectionAbortedError

    with Server(Noise()) as server, pytest.raises(AmbiguousError):
        http.request("POST", server.url)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * MAX_BODY])
def test_a_body_that_is_no_json_says_nothing(http, body):
    with Server(Answer(200, body)) as server:
        answer = http.request("POST", server.url)

    assert answer.json() is None
    assert answer.word("id") == ""


def test_cookies_are_not_kept(http):
    with Server(said(200, {}, Set_Cookie="a=b; Path=/")) as server:
        http.request("POST", server.url)
        http.request("POST", server.url)

    assert "cookie" not in server.requests[1].headers


def test_the_log_knows_no_url_and_no_body(http, caplog):
    caplog.set_level(logging.DEBUG)
    with Server() as server:
        http.request("POST", f"{server.url}/services/T0/zzcanary", headers={"X-Key": "zzcanary"}, content=b"zzcanary")

    assert "zzcanary" not in caplog.text


def test_a_header_that_cannot_be_sent_is_refused_and_nobody_is_asked(http):
    with Server() as server, pytest.raises(PermanentError):
        http.request("POST", server.url, headers={"X-Bad": "a\r\nX-Other: b"})

    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, PermanentError),
        (400, PermanentError),
        (401, MisconfiguredError),
        (403, MisconfiguredError),
        (404, PermanentError),
        (408, TransientError),
        (410, PermanentError),
        (413, PermanentError),
        (422, PermanentError),
        (429, ThrottledError),
        (500, TransientError),
        (503, TransientError),
    ],
)
def test_a_status_stands_for_an_error(status, kind):
    error = error_of(status, headers={"retry-after": "7"})

    assert type(error) is kind
    assert str(error) == f"The provider answered {status}."
    assert error.code == str(status)
    if isinstance(error, TransientError):
        assert error.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(("status", "gone"), [(404, True), (410, True), (400, False), (401, False), (403, False)])
def test_a_person_s_address_that_is_gone_is_not_used_again(status, gone):
    error = error_of(status, is_endpoint=True)

    assert isinstance(error, PermanentError)
    assert (error.suppress, error.reason) == (gone, Reason.ENDPOINT_GONE if gone else Reason.REJECTED)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("SM1", "SM1"),
        (21211, "21211"),
        ("a.b-c:d_e", "a.b-c:d_e"),
        ("To +12025550123 is no number", ""),
        ("+12025550123", ""),
        ("a@b.c", ""),
        ("a" * 65, ""),
        ("", ""),
        (None, ""),
        (True, ""),
        (1.5, ""),
        (["a"], ""),
    ],
)
def test_only_what_looks_like_a_code_is_kept_of_an_answer(value, word):
    assert safe_code(value) == word


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, None), ({"retry-after": "x"}, None), ({"retry-after": "90"}, 90), ({"retry-after": "-1"}, 1)],
)
def test_how_long_to_wait_is_read_from_the_headers(headers, seconds):
    assert retry_after(headers) == (None if seconds is None else timedelta(seconds=seconds))
