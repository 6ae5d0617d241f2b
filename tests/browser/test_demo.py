"""The demo as a newcomer meets it: place an order in one window, see the bell in another."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.looking import PATIENCE, bell, found, items, reach
from tests.demo.conftest import Demo

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(chromium, tmp_path):
    """Return a function that opens a window of the demo shop, logged in by one click, in the profile of that person."""
    demo = Demo(tmp_path / "demo")
    demo.open()
    profiles = {}

    def window(person):
        if person not in profiles:
            profiles[person] = chromium.new_context(base_url=demo.address)
            profiles[person].set_default_timeout(PATIENCE * 1000)
            page = profiles[person].new_page()
            page.goto("/")
            page.get_by_role("button", name=re.compile(person, re.IGNORECASE)).click()
            return page
        page = profiles[person].new_page()
        page.goto("/")
        return page

    yield window
    for profile in profiles.values():
        profile.close()
    demo.kill()


def test_an_order_in_one_window_rings_the_bell_in_another(shop):
    placing, watching = shop("alice"), shop("alice")
    reach(watching, "live")
    before = watching.url

    placing.get_by_role("button", name="Place the order").click()

    expect(bell(watching)).to_have_accessible_name("Notifications, 1 new")
    assert watching.url == before
    bell(watching).click()
    expect(items(watching).first).to_contain_text("ORD-")


def test_shipped_it_can_be_confirmed_with_a_button(shop):
    alice, charlie = shop("alice"), shop("charlie")
    alice.get_by_role("button", name="Place the order").click()
    expect(alice.get_by_role("heading", level=1)).to_contain_text("ORD-")
    number = found(r"ORD-\w+", alice.url)
    alice.get_by_role("button", name=re.compile("Pay", re.IGNORECASE)).first.click()
    charlie.goto(f"/orders/{number}/")
    charlie.get_by_role("button", name=re.compile("Ship", re.IGNORECASE)).first.click()

    bell(alice).click()
    alice.get_by_role("button", name="It has arrived").click()

    expect(items(alice).filter(has_text="Thank you! Enjoy it.")).to_have_count(1)
    # What follows waits to be asked for, because the mouse is over the list.
    alice.get_by_role("button", name="1 new notification").click()
    expect(items(alice).first).to_contain_text(re.compile("deliver|arriv", re.IGNORECASE))
