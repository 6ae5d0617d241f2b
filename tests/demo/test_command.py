"""`manage.py demo`, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command

from config.demo import check, server
from config.demo.management.commands.demo import _empty
from config.demo.visitor import Visitor
from tests.demo.conftest import NOT_FOR_THE_DEMO

#: Seconds a demo may take to close.
CLOSING_TIME = 3

STEPS = {
    "ORDER_CREATED",
    "PAYMENT_FAILED",
    "PAYMENT_CAPTURED",
    "ORDER_SHIPPED",
    "ORDER_DELIVERED",
    "LOW_STOCK_ALERT",
    "USER_WELCOME",
}


def test_the_check_goes_through_everything_and_leaves_nothing(demo, tmp_path):
    demo.environment |= {"TMPDIR": str(tmp_path)}
    del demo.environment["DEMO_DIR"]

    process = demo.start("--check", "--repeat", "5")
    output, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    [line] = output.splitlines()
    report = json.loads(line)
    assert report["ok"] is True
    assert report["steps"].keys() == STEPS
    assert all(times["inbox_ms"] <= times["outbox_ms"] for times in report["steps"].values())
    assert report["repeat"]["orders"] == 5
    assert 0 < report["repeat"]["order_to_inbox_ms"]["median"] <= report["repeat"]["order_to_inbox_ms"]["p99"]
    assert list(tmp_path.iterdir()) == []


def test_a_failing_check_says_so_and_why(demo, monkeypatch):
    monkeypatch.setattr(os, "environ", demo.environment)
    with server.listen("127.0.0.1", 0) as taken:
        report = check.run(host="127.0.0.1", port=taken.getsockname()[1], repeat=0)

    assert report["ok"] is False
    assert report["error"] == "The demo did not open."
    assert "is in use; choose another" in report["log"][-1]


def test_it_serves_and_stops_when_told(demo):
    for stop in (signal.SIGINT, signal.SIGTERM):
        process = demo.open()
        with closing(HTTPConnection(urlsplit(demo.address).netloc)) as browser:
            for path, expected in (("/", b"Who are you?"), ("/static/demo/shop.css", b"color-scheme")):
                browser.request("GET", path)
                assert expected in browser.getresponse().read()

        began = time.monotonic()
        process.send_signal(stop)
        _, errors = process.communicate(timeout=10)

        assert time.monotonic() - began < CLOSING_TIME
        assert (process.returncode, errors) == (0, "")


def test_it_stops_as_quickly_while_browsers_listen(demo):
    process = demo.open()
    visitor = Visitor(demo.address, deadline=time.monotonic() + 60)
    with closing(visitor._connection):
        visitor.log_in("alice")
        headers = {"X-CSRFToken": visitor._cookies["csrftoken"]}
        _, token = visitor._ask("POST", "/api/notifications/stream/token/", expected=200, headers=headers)
    cookie = {"Cookie": f"sessionid={visitor._cookies['sessionid']}"}
    with closing(HTTPConnection(urlsplit(demo.address).netloc, timeout=60)) as browser:
        browser.request("GET", json.loads(token)["url"], headers=cookie)
        stream = browser.getresponse()
        assert [stream.readline() for _ in range(3)] == [b"retry: 3000\n", b"\n", b"event: ready\n"]

        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert b'{"reason":"stopping"}' in stream.read()
    _, errors = process.communicate(timeout=10)

    assert time.monotonic() - began < CLOSING_TIME
    assert (process.returncode, errors) == (0, "")


def test_a_folder_is_one_demos_at_a_time(tmp_path):
    with server.take(tmp_path) as taken:
        print("http://127.0.0.1:8000", file=taken, end="", flush=True)

        with pytest.raises(server.CannotOpen, match=r"is open at http://127\.0\.0\.1:8000 already; stop that one"):
            server.take(tmp_path)
    server.take(tmp_path).close()


def test_a_port_in_use_is_named():
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(server.CannotOpen, match=f"Port {port} is in use; choose another, such as --port"):
            server.listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_a_host_that_is_not_ours_is_named(host):
    with pytest.raises(server.CannotOpen, match=f"Cannot listen on {host}, port 0: .* See --host and --port"):
        server.listen(host, 0)


@pytest.mark.parametrize("name", ["BROKER_URL", "DATABASE_URL", "EMBEDDED_WORKER", "REDIS_URL", "SECURE"])
def test_what_would_make_it_something_else_is_refused(monkeypatch, settings, name):
    settings.SECURE, settings.EMBEDDED_WORKER = True, False
    for other in NOT_FOR_THE_DEMO:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "set")

    with pytest.raises(CommandError, match=f"{name} must not be set: env -u {name} make demo"):
        call_command("demo")


def test_fresh_forgets_the_former_demo_and_nothing_else(tmp_path):
    (tmp_path / "mail").mkdir()
    for name in ("demo.sqlite3", "demo.sqlite3-wal", "mail/20300101-000000-1.log", "sms.jsonl", "mine.txt"):
        (tmp_path / name).write_text("x")

    _empty(tmp_path, database=tmp_path / "demo.sqlite3")

    assert list(tmp_path.iterdir()) == [tmp_path / "mine.txt"]


@pytest.mark.parametrize("port", ["-1", "65536", "http", "٣"])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(CommandError, match="a port is a number from 0 to 65535"):
        call_command("demo", f"--port={port}")


def test_it_is_known_by_the_first_argument_only():
    with pytest.raises(CommandError, match=r"manage\.py demo, then its options"):
        call_command("demo")


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", r"http://127\.0\.0\.1:\d+"), ("0.0.0.0", r"http://127\.0\.0\.1:\d+")],  # noqa: S104 - for a moment
)
def test_the_address_is_one_that_browsers_can_open(host, address):
    with server.listen(host, 0) as listener:
        assert re.fullmatch(address, server.address_of(listener))
