"""Preferences behind the bell, categories, the page, and what a page can make of the component."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from notifications.models import Notification, Preference, RecipientSettings
from tests.browser.looking import PATIENCE, bell, items, open_inbox
from tests.factories import make_item, make_template

pytestmark = pytest.mark.browser

CLIENT = """async () => {
  const { NotificationClient } = await import("/static/notifications/notification-client.js");
  const client = new NotificationClient({ user: "alone" });
  const heard = [];
  const stop = client.subscribe((message) => heard.push(message.type));
  const { results } = await client.list({ status: "unread" });
  const before = (await client.counts()).unread;
  await client.update(results[0].id, { read: true });
  await client.mark("archived", { ids: [results[1].id] });
  const after = (await client.counts()).unread;
  const refused = await client.update(results[0].id, { snoozed_until: "soon" }).catch((error) => error.status);
  stop();
  return { titles: results.map(({ title }) => title), before, after, refused, heard: heard.includes("item") };
}"""


@pytest.fixture
def page(visit, alice):
    return visit(alice).new_page()


def changed(response):
    """Tell whether a response answers a change."""
    return response.request.method == "PATCH"


def open_preferences(page):
    inbox = open_inbox(page)
    inbox.get_by_role("button", name="Preferences").click()
    expect(inbox.get_by_role("heading", name="Preferences")).to_be_visible()
    return inbox


def test_a_wish_is_kept_and_can_be_taken_back(page, alice, kind):
    inbox = open_preferences(page)
    wish = inbox.get_by_role("group", name="orders").get_by_role("combobox", name="E-mail")

    with page.expect_response(changed):
        wish.select_option("daily")
    assert Preference.objects.get().cadence == "daily"
    with page.expect_response(changed):
        wish.select_option("")
    assert not Preference.objects.exists()


def test_a_required_category_is_shown_as_locked(page, alice, kind):
    make_template("SECURITY", category="account", required=True)
    locked = open_preferences(page).get_by_role("group", name="account")

    expect(locked).to_contain_text("immediately")
    expect(locked.get_by_role("combobox")).to_have_count(0)


def test_quiet_hours_and_time_zone_are_kept(page, alice, kind):
    inbox = open_preferences(page)
    inbox.get_by_label("From").fill("22:00")
    inbox.get_by_label("To", exact=True).fill("07:00")

    with page.expect_response(changed):
        inbox.get_by_role("button", name="Save").click()
    with page.expect_response(changed):
        inbox.get_by_role("combobox", name="Time zone").select_option("Europe/Berlin")
    kept = RecipientSettings.objects.get(recipient=alice)
    assert (kept.quiet_hours, kept.time_zone) == ({"daily": ["22:00-07:00"]}, "Europe/Berlin")


def test_categories_are_tabs(page, alice, deliver):
    deliver(alice, "An order")
    make_item(alice, make_template("PAYMENT_FAILED", category="payments"), title="A payment")
    inbox = open_inbox(page)
    expect(items(page)).to_have_count(2)

    inbox.get_by_role("button", name=re.compile("^payments")).click()
    expect(items(page)).to_have_text([re.compile("A payment")])
    inbox.get_by_role("button", name="Mark all as read").click()
    expect(inbox.get_by_role("button", name="Mark as unread")).to_have_count(1)
    assert list(Notification.objects.filter(read_at=None).values_list("title", flat=True)) == ["An order"]


def test_the_page_is_taken_over_by_the_component(page, alice, deliver):
    deliver(alice, "One")
    page.goto("/notifications/")

    expect(items(page)).to_have_count(1)
    expect(page.get_by_role("dialog")).to_have_count(0)
    items(page).get_by_role("button", name="Mark as read", exact=True).click()
    expect(items(page).get_by_role("button", name="Mark as unread")).to_be_visible()


def test_it_speaks_german(visit, alice, deliver):
    deliver(alice, "Eins")
    page = visit(alice, locale="de-DE").new_page()
    page.goto("/host/")
    opener = page.locator("notification-center").get_by_role("button").first

    expect(opener).to_have_accessible_name(re.compile("1 neu"))
    opener.click()
    expect(items(page).get_by_role("button", name="Archivieren")).to_be_visible()


def test_a_page_can_listen_and_draw(page, alice, deliver):
    deliver(alice, "One", action_url="/host/?there", about="orders.order:7")
    page.goto("/host/")
    page.evaluate("""() => {
      const center = document.querySelector("notification-center");
      window.heard = [];
      for (const name of ["open", "counts", "click", "close"])
        document.addEventListener(`notification-center:${name}`, (event) => {
          heard.push(name);
          if (name === "click") event.preventDefault();
        });
      center.renderItem = (item, element) => element.append(item.about);
    }""")

    bell(page).click()
    expect(items(page)).to_contain_text("orders.order:7")
    items(page).get_by_role("link", name="One").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    until = time.monotonic() + PATIENCE
    while missing := {"open", "counts", "click", "close"} - set(page.evaluate("heard")):
        assert time.monotonic() < until, missing
        page.wait_for_timeout(50)
    assert not page.url.endswith("?there")


def test_the_client_works_alone(page, alice, deliver):
    deliver(alice, "One", "Two")
    page.goto("/host/")
    expect(bell(page)).to_have_text("2")

    found = page.evaluate(CLIENT)

    assert found == {"titles": ["Two", "One"], "before": 2, "after": 0, "refused": 400, "heard": True}
