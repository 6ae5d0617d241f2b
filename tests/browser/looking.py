"""Where things are on the page."""

from __future__ import annotations

import re
import time

from axe_playwright_python.sync_playwright import Axe

BELL = re.compile("^Notifications")
#: Seconds something may take to appear, or to happen in the worker.
PATIENCE = 40


def bell(page):
    return page.get_by_role("button", name=BELL).first


def items(page):
    return page.locator("notification-center li[data-id]")


def open_inbox(page, path="/host/"):
    page.goto(path)
    bell(page).click()
    return page.get_by_role("dialog", name="Notifications")


def state(page):
    """Return how a page hears of what happens: live, polling, offline, logged-out."""
    return page.evaluate("document.querySelector('notification-center').state")


def reach(page, wanted, seconds=PATIENCE):
    """Wait until a page is in a state. From outside: its content policy lets nobody evaluate a text inside."""
    until = time.monotonic() + seconds
    while (now := state(page)) != wanted:
        assert time.monotonic() < until, f"still {now}, not {wanted}"
        page.wait_for_timeout(50)


def scroll_to(page, number):
    """Read on until so many items are there."""
    until = time.monotonic() + PATIENCE
    while items(page).count() < number:
        assert time.monotonic() < until, f"{items(page).count()} of {number}"
        items(page).last.scroll_into_view_if_needed()
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(100)


def found(pattern, text):
    """Return the part of a text that a pattern is about."""
    match = re.search(pattern, text)
    assert match is not None, f"no {pattern} in {text!r}"
    return match[0]


def grave(page):
    """Return what axe finds that keeps people out: the look of the admin has a few lesser faults of its own."""
    found = Axe().run(page).response["violations"]
    return [
        (rule["id"], [node["html"][:160] for node in rule["nodes"]])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]
