"""`manage.py demo --check`: everything a person would try, over HTTP, with the time each step took."""

from __future__ import annotations

import math
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from config.demo.seed import ALICE, CHARLIE
from config.demo.visitor import CheckFailed, Form, Visitor

#: Seconds for the whole check; each further order gets one more.
TIME_LIMIT = 60
#: Seconds for one message to appear.
PATIENCE = 10
#: Seconds between two looks at the inbox or the outbox.
INTERVAL = 0.01
#: Seconds the demo has to close.
CLOSING_TIME = 5
#: Seconds after which a newcomer is welcomed, unless WELCOME_DELAY_SECONDS says so.
WELCOME_DELAY = "1"
#: Lines of the demo's log in the report of a failure.
LOG_LINES = 20

DECLINED, WORKING = "4000 0000 0000 0002", "4242 4242 4242 4242"


def run(*, host: str, port: int, repeat: int) -> dict[str, Any]:
    """Open a demo of our own, try everything, close it; return the report, in ms. `ok`: all went well."""
    report: dict[str, Any] = {"ok": False}
    began = time.monotonic()
    try:
        with _folder() as folder, _demo(folder, host, port, TIME_LIMIT + repeat, report) as address:
            report["ready_ms"] = _ms_since(began)
            tour = _Tour(address, deadline=began + TIME_LIMIT + repeat)
            report["steps"] = tour.steps
            tour.walk()
            if repeat:
                report["repeat"] = tour.repeat(repeat)
        report["ok"] = True
    except CheckFailed as e:
        report["error"] = str(e)
    report["total_ms"] = _ms_since(began)
    return report


class _Tour:
    """Alice orders and pays, Charlie ships and sells, Dora is new. Each step must be heard of on every channel."""

    def __init__(self, address: str, *, deadline: float) -> None:
        self.steps: dict[str, dict[str, float]] = {}
        self._deadline = deadline
        self._address = address
        self._customer = self._visitor(ALICE.username)
        self._warehouse = self._visitor(CHARLIE.username)
        self._passer_by = self._visitor()
        #: The basket with what the shop suggests, and the path of that article's stock.
        self._basket = self._customer.page("/").form("/orders/")
        suggested = next((name for name, value in self._basket.fields.items() if value == "1"), "")
        self._stock = f"/stock/{suggested.removeprefix('quantity-')}"

    def walk(self) -> None:
        alice = (ALICE.email, ALICE.phone)
        self._restock()
        order = self._step("ORDER_CREATED", {ALICE.email}, self._customer, self._basket)
        pay = self._customer.page(order).form(f"{order}pay/", card=DECLINED)
        self._step("PAYMENT_FAILED", {*alice}, self._customer, pay)
        pay = self._customer.page(order).form(f"{order}pay/", card=WORKING)
        self._step("PAYMENT_CAPTURED", {ALICE.email}, self._customer, pay)
        ship = self._warehouse.page(order).form(f"{order}ship/")
        self._step("ORDER_SHIPPED", {*alice}, self._warehouse, ship, hears=self._customer)
        deliver = self._warehouse.page(order).form(f"{order}deliver/")
        self._step("ORDER_DELIVERED", {ALICE.email}, self._warehouse, deliver, hears=self._customer)
        sell = self._warehouse.page("/").form(f"{self._stock}/sell/")
        self._step("LOW_STOCK_ALERT", {CHARLIE.email, CHARLIE.phone}, self._warehouse, sell)
        newcomer, name = self._visitor(), f"Dora {secrets.token_hex(3)}"
        register = newcomer.page("/").form("/register/", first_name=name)
        email = f"{name.lower().replace(' ', '-')}@example.com"
        self._step("USER_WELCOME", {email}, newcomer, register)
        self.steps["USER_WELCOME"]["delay_ms"] = 1000 * float(_environment()["WELCOME_DELAY_SECONDS"])

    def repeat(self, number: int) -> dict[str, Any]:
        """Place that many further orders; return how long each took to be in the inbox."""
        self._restock(quantity=str(number))
        times = [self._order_again() for _ in range(number)]
        return {
            "orders": number,
            "order_to_inbox_ms": _median_and_p99([from_click for from_click, _ in times]),
            "answer_to_inbox_ms": _median_and_p99([from_answer for _, from_answer in times]),
        }

    def _order_again(self) -> tuple[float, float]:
        """Place an order; return the ms from the click, and from the answer, until it is in the inbox."""
        known = self._newest(self._customer, "ORDER_CREATED")
        clicked = time.monotonic()
        self._customer.submit(self._basket)
        answered = time.monotonic()
        self._until("ORDER_CREATED in the inbox", lambda: self._newest(self._customer, "ORDER_CREATED") != known)
        return _ms_since(clicked), _ms_since(answered)

    def _step(
        self, template: str, addresses: set[str], acts: Visitor, form: Form, *, hears: Visitor | None = None
    ) -> str:
        """Send the form, wait for what it causes, note the times; return where the answer leads."""
        hears = hears or acts
        known = self._newest(hears, template) if hears.is_logged_in else None
        sent_before = {message.id for message in self._passer_by.page("/outbox/").messages}

        clicked = time.monotonic()
        path = acts.submit(form)
        answered = time.monotonic()
        times = self.steps[template] = {"http_ms": round(1000 * (answered - clicked), 1)}
        self._until(f"{template} in the inbox", lambda: self._newest(hears, template) != known)
        times["inbox_ms"] = _ms_since(answered)

        def reached() -> set[str]:
            messages = self._passer_by.page("/outbox/").messages
            return {message.to for message in messages if message.id not in sent_before}

        self._until(f"{template} in the outbox, to {len(addresses)} addresses", lambda: addresses <= reached())
        times["outbox_ms"] = _ms_since(answered)
        return path

    def _restock(self, **chosen: str) -> None:
        self._warehouse.submit(self._warehouse.page("/").form(f"{self._stock}/restock/", **chosen))

    def _newest(self, who: Visitor, template: str) -> str | None:
        """Return the id of somebody's newest inbox item of a template."""
        items = who.json(f"/api/notifications/?template={template}&page_size=1")["results"]
        return items[0]["id"] if items else None

    def _visitor(self, username: str = "") -> Visitor:
        visitor = Visitor(self._address, deadline=self._deadline)
        if username:
            visitor.log_in(username)
        return visitor

    def _until(self, what: str, is_there: Callable[[], bool]) -> None:
        until = min(self._deadline, time.monotonic() + PATIENCE)
        while not is_there():
            if time.monotonic() > until:
                raise CheckFailed(f"Waited in vain for {what}.")
            time.sleep(INTERVAL)


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield the folder named by DEMO_DIR, or a new one that is removed again."""
    if "DEMO_DIR" in os.environ:
        yield settings.DEMO_DIR
        return
    with tempfile.TemporaryDirectory(prefix="demo-check-") as folder:
        yield Path(folder)


@contextmanager
def _demo(folder: Path, host: str, port: int, limit: float, report: dict[str, Any]) -> Iterator[str]:
    """Open a demo in a process of its own, yield its address, and close it as Ctrl-C would."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", "--host", host, "--port", str(port)]
    environment = _environment() | {"DEMO_DIR": str(folder)}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,  # noqa: S603 - ourselves
    ):
        watchdog = threading.Timer(limit, process.kill)
        watchdog.start()
        try:
            yield _address(process)
            report["stop_ms"] = _close(process)
            log.seek(0)
            _fail_on_errors(log.read())
        except CheckFailed:
            log.seek(0)
            report["log"] = log.read().splitlines()[-LOG_LINES:]
            raise
        finally:
            watchdog.cancel()
            process.kill()


def _environment() -> dict[str, str]:
    return {"WELCOME_DELAY_SECONDS": WELCOME_DELAY, **os.environ}


def _address(process: subprocess.Popen[str]) -> str:
    """Read what the demo prints until it says where it is."""
    for line in process.stdout or ():
        if found := re.search(r"http://[^\s/]+", line):
            return found[0]
    message = "The demo did not open."
    raise CheckFailed(message)


def _close(process: subprocess.Popen[str]) -> float:
    """Close the demo; return how long it took, or raise `CheckFailed` unless it ended well and in time."""
    began = time.monotonic()
    process.terminate()
    try:
        code = process.wait(CLOSING_TIME)
    except subprocess.TimeoutExpired as e:
        raise CheckFailed(f"The demo did not close within {CLOSING_TIME} seconds.") from e
    if code != 0:
        raise CheckFailed(f"The demo ended with code {code}.")
    return _ms_since(began)


def _fail_on_errors(log: str) -> None:
    if " ERROR " in log or "Traceback" in log:
        message = "The demo logged errors."
        raise CheckFailed(message)


def _median_and_p99(times: list[float]) -> dict[str, float]:
    nearest_rank = math.ceil(0.99 * len(times)) - 1
    return {"median": round(statistics.median(times), 1), "p99": sorted(times)[nearest_rank]}


def _ms_since(began: float) -> float:
    return round(1000 * (time.monotonic() - began), 1)
