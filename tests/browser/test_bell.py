"""The bell, and what can be done behind it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from notifications.models import Notification
from tests.browser.looking import bell, found, items, open_inbox, scroll_to

pytestmark = pytest.mark.browser


@pytest.fixture
def page(visit, alice):
    return visit(alice).new_page()


def test_the_badge_counts_what_is_unseen_and_opening_sees_it(page, alice, deliver):
    deliver(alice, "One", "Two")
    page.goto("/host/")

    expect(bell(page)).to_have_accessible_name("Notifications, 2 new")
    expect(bell(page)).to_have_text("2")
    bell(page).click()
    expect(items(page)).to_have_text([re.compile("Two"), re.compile("One")])
    expect(bell(page)).to_have_accessible_name("Notifications")
    assert not Notification.objects.filter(seen_at=None).exists()
    assert Notification.objects.filter(read_at=None).count() == 2


def test_a_hundred_are_99_and_more(page, alice, deliver):
    deliver(alice, *[f"Number {number}" for number in range(100)])
    page.goto("/host/")

    expect(bell(page)).to_have_text("99+")


def test_an_empty_inbox_says_so(page):
    expect(open_inbox(page)).to_contain_text("You are all caught up.")


def test_read_and_unread(page, alice, deliver):
    (item,) = deliver(alice, "One")
    inbox = open_inbox(page)

    inbox.get_by_role("button", name="Mark as read", exact=True).click()
    expect(inbox.get_by_role("button", name="Mark as unread")).to_be_visible()
    item.refresh_from_db()
    assert item.read_at
    inbox.get_by_role("button", name="Mark as unread").click()
    expect(inbox.get_by_role("button", name="Mark as read", exact=True)).to_be_visible()
    item.refresh_from_db()
    assert item.read_at is None


def test_archive_and_undo(page, alice, deliver):
    deliver(alice, "One", "Two")
    inbox = open_inbox(page)

    items(page).first.get_by_role("button", name="Archive", exact=True).click()
    expect(items(page)).to_have_text([re.compile("One")])
    inbox.get_by_role("button", name="Undo").click()
    expect(items(page)).to_have_count(2)
    assert not Notification.objects.exclude(archived_at=None).exists()


def test_the_archive_is_a_choice_away_and_gives_back(page, alice, deliver):
    deliver(alice, "One")
    inbox = open_inbox(page)
    items(page).first.get_by_role("button", name="Archive", exact=True).click()

    inbox.get_by_role("combobox", name="Show").select_option("archived")
    items(page).first.get_by_role("button", name="Move to inbox").click()
    expect(inbox).to_contain_text("Nothing archived.")
    inbox.get_by_role("combobox", name="Show").select_option("")
    expect(items(page)).to_have_count(1)


def test_snooze_for_an_hour_and_back(page, alice, deliver):
    (item,) = deliver(alice, "One")
    inbox = open_inbox(page)

    inbox.get_by_role("button", name="Snooze", exact=True).click()
    inbox.get_by_role("button", name="In an hour").click()
    expect(items(page)).to_have_count(0)
    item.refresh_from_db()
    assert item.snoozed_until
    inbox.get_by_role("combobox", name="Show").select_option("snoozed")
    expect(items(page)).to_contain_text("Snoozed until")
    inbox.get_by_role("button", name="End snooze").click()
    expect(items(page)).to_have_count(0)
    item.refresh_from_db()
    assert item.snoozed_until is None


def test_mark_all_read_leaves_what_was_not_shown(page, alice, deliver):
    deliver(alice, "One", "Two")
    inbox = open_inbox(page)
    expect(items(page)).to_have_count(2)
    deliver(alice, "Not shown yet")

    inbox.get_by_role("button", name="Mark all as read").click()
    expect(inbox.get_by_role("button", name="Mark as unread")).to_have_count(2)
    assert list(Notification.objects.filter(read_at=None).values_list("title", flat=True)) == ["Not shown yet"]


def test_archive_all_that_is_read(page, alice, deliver):
    deliver(alice, "One", "Two")
    inbox = open_inbox(page)
    items(page).first.get_by_role("button", name="Mark as read", exact=True).click()
    expect(inbox.get_by_role("button", name="Mark as unread")).to_have_count(1)

    inbox.get_by_role("button", name="Archive all read").click()
    expect(items(page)).to_have_text([re.compile("One")])


def test_delete_is_for_good(page, alice, deliver):
    (item,) = deliver(alice, "One")
    inbox = open_inbox(page)

    inbox.get_by_role("button", name="More", exact=True).click()
    inbox.get_by_role("button", name="Delete").click()
    expect(items(page)).to_have_count(0)
    item.refresh_from_db()
    assert item.hidden_at


def test_scrolling_loads_all_there_is_once(page, alice, deliver):
    deliver(alice, *[f"Number {number:03}" for number in range(60)])
    open_inbox(page)
    scroll_to(page, 60)
    titles = [found(r"Number \d+", text) for text in items(page).all_text_contents()]
    assert titles == [f"Number {number:03}" for number in reversed(range(60))]


def test_a_button_is_answered_by_business_code(page, alice, deliver):
    action = [{"name": "confirm_arrival", "run_at": None, "result": ""}]
    deliver(alice, "One", actions=action, about="orders.order:0")
    inbox = open_inbox(page)

    inbox.get_by_role("button", name="It has arrived").click()
    expect(inbox).to_contain_text("This order is no longer there.")


def test_a_link_leads_where_the_item_leads_and_reads_it(page, alice, deliver):
    (item,) = deliver(alice, "One", action_url="/host/?there", action_text="Go")
    inbox = open_inbox(page)

    inbox.get_by_role("link", name="Go", exact=True).click()
    page.wait_for_url("**/host/?there")
    item.refresh_from_db()
    assert item.read_at


def test_why_it_came_is_told_in_words(page, alice, deliver):
    deliver(alice, "One")
    inbox = open_inbox(page)

    inbox.get_by_role("button", name="More", exact=True).click()
    with page.expect_response("**/why/") as answer:
        inbox.get_by_role("button", name="Why did I get this?").click()
    assert answer.value.ok


def test_what_fails_can_be_tried_again(page, alice, deliver):
    deliver(alice, "One")
    # Nothing else but the button shall mend it.
    never = '{"url": null, "expires_in": 60, "poll_seconds": 3600}'
    page.route("**/stream/token/", lambda route: route.fulfill(body=never, content_type="application/json"))
    page.route("**/api/notifications/?*", lambda route: route.fulfill(status=500, body="no"))
    inbox = open_inbox(page)

    expect(inbox).to_contain_text("That did not work.")
    page.unroute("**/api/notifications/?*")
    inbox.get_by_role("button", name="Try again").click()
    expect(items(page)).to_have_count(1)


def test_who_is_logged_out_is_told(page, alice, deliver):
    deliver(alice, "One")
    inbox = open_inbox(page)
    expect(items(page)).to_have_count(1)
    page.context.clear_cookies()

    # Not a click: the stream may have told it already, and taken the list away.
    inbox.get_by_role("button", name="Mark as read", exact=True, include_hidden=True).dispatch_event("click")
    expect(inbox).to_contain_text("You are logged out.")
