"""`manage.py demo`, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import socket
import time
import urllib.request

import pytest

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


def test_a_failing_check_says_so_and_why(demo):
    demo.environment |= {"EMAIL_URL": "consolemail://"}

    process = demo.start("--check")
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    report = json.loads(output)
    assert report["ok"] is False
    assert report["error"] == "Waited in vain for ORDER_CREATED in the outbox, to 1 addresses."


def test_it_serves_and_stops_when_told(demo, stop_signal):
    process = demo.open()
    with urllib.request.urlopen(f"{demo.address}/") as page:
        assert "Who are you?" in page.read().decode()
    with urllib.request.urlopen(f"{demo.address}/static/demo/shop.css") as style:
        assert style.headers["Content-Type"] == "text/css"

    began = time.monotonic()
    process.send_signal(stop_signal)
    _, errors = process.communicate(timeout=10)

    assert time.monotonic() - began < CLOSING_TIME
    assert (process.returncode, errors) == (0, "")


def test_a_folder_is_one_demos_at_a_time(demo):
    demo.open()

    second = demo.start("--port", "0")
    _, errors = second.communicate(timeout=30)

    assert second.returncode == 1
    assert re.fullmatch(rf"CommandError: .* is open at {demo.address} already; stop that one, .* DEMO_DIR=…\n", errors)


def test_a_port_in_use_is_named(demo):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        process = demo.start("--port", str(port))
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert errors == f"CommandError: Port {port} is in use; choose another, such as --port {port + 1}.\n"


@pytest.mark.parametrize("name", ["EMBEDDED_WORKER", "SECURE"])
def test_what_would_make_it_something_else_is_refused(demo, name):
    demo.environment[name] = "off" if name == "EMBEDDED_WORKER" else "on"

    process = demo.start()
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert f"{name} must not be set: env -u {name} make demo" in errors
    assert not demo.folder.exists()


def test_fresh_forgets_the_former_demo_and_nothing_else(demo):
    demo.folder.mkdir()
    (demo.folder / "mail").mkdir()
    for name in ("demo.sqlite3-wal", "mail/20300101-000000-1.log", "sms.jsonl", "mine.txt"):
        (demo.folder / name).write_text("x")

    process = demo.start("--port", "0", "--fresh")
    next(line for line in process.stdout if "http://" in line)

    assert (demo.folder / "mine.txt").exists()
    assert not (demo.folder / "sms.jsonl").exists()
    assert list((demo.folder / "mail").glob("*")) == []
    assert os.path.getsize(demo.folder / "demo.sqlite3") > 0
