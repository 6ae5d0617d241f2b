"""`manage.py demo --check`: everything a person would try, over HTTP, with the time each step took."""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from config.demo.seed import ALICE, CHARLIE, Person
from config.demo.visitor import CheckFailed, Visitor

#: Seconds for the whole check; each further order gets one more.
TIME_LIMIT = 60
#: Seconds between two looks at the inbox, and at the outbox.
INTERVAL = 0.01
#: Sold by the hundred, so that further orders do not run out of it.
BULK_ARTICLE = "Coffee beans, 250 g"
NEWCOMER = "Dora"

Times = dict[str, float]


def run(*, host: str, port: int, repeat: int) -> dict[str, Any]:
    """Open a demo of our own, try everything, close it; return the report. `ok` says whether all went well."""
    began = time.monotonic()
    report: dict[str, Any] = {"ok": False}
    try:
        with _folder() as folder, _demo(folder, host, port, report) as address:
            report["ready_ms"] = _ms(began)
            tour = Tour(address, deadline=began + TIME_LIMIT + repeat)
            report["steps"] = tour.steps
            tour.walk()
            if repeat:
                report["repeat"] = tour.repeat(repeat)
    except CheckFailed as e:
        report["error"] = str(e)
    else:
        report["ok"] = True
    report["total_ms"] = _ms(began)
    return report


class Tour:
    """Alice orders and pays, Charlie ships and sells, Dora is new. Every step must be heard of, on every channel."""

    def __init__(self, address: str, *, deadline: float) -> None:
        self.steps: dict[str, Times] = {}
        self._address = address
        self._deadline = deadline
        self._customer = self._visitor(ALICE.username)
        self._warehouse = self._visitor(CHARLIE.username)

    def walk(self) -> None:
        order = self._step("ORDER_CREATED", self._customer, ALICE, {"email"}, self._place)
        card = {"card": "4000 0000 0000 0002"}
        pay = self._customer.page(order).form(f"{order}pay/")
        self._step("PAYMENT_FAILED", self._customer, ALICE, {"email", "sms"}, lambda: self._customer.submit())
