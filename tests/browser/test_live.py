"""What happens shows by itself: in every tab, on every device, by one stream."""

from __future__ import annotations

import re
from itertools import count

import pytest
from playwright.sync_api import expect

from notifications.models import Notification
from notifications.publishing import publish_notification
from tests.browser.looking import bell, found, items, open_inbox, reach

pytestmark = pytest.mark.browser

TABS = 10
number = count(1)


@pytest.fixture
def publish(kind):
    """Return a function by which business code tells somebody something; the site's worker does the rest."""

    def publish(user):
        order = f"ORD-{next(number)}"
        publish_notification("ORDER_CREATED", recipient=user, variables={"order_number": order})
        return f"Order {order}"

    return publish


class Streams:
    """The streams a browser has open, by what its pages ask."""

    def __init__(self, context):
        self.open = set()
        self.opened = 0
        context.on("request", self._asked)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)

    def _asked(self, request):
        if "/stream/?token" in request.url:
            self.open.add(request)
            self.opened += 1

    def _ended(self, request):
        self.open.discard(request)


def test_what_happens_shows_without_a_reload(visit, alice, publish):
    page = visit(alice).new_page()
    page.goto("/host/")
    reach(page, "live")
    expect(bell(page)).to_have_accessible_name("Notifications")

    publish(alice)

    expect(bell(page)).to_have_accessible_name("Notifications, 1 new")
    expect(page.get_by_role("status").first).to_contain_text("1 new notification")


def test_an_open_list_takes_it_on_top(visit, alice, deliver, publish):
    page = visit(alice).new_page()
    deliver(alice, "Old")
    open_inbox(page)
    expect(items(page)).to_have_count(1)
    reach(page, "live")
    page.mouse.move(0, 0)

    title = publish(alice)

    expect(page.get_by_text(re.compile(f"1 new notification|{title}")).first).to_be_visible()
    if page.locator("[part~=pill]").is_visible():
        page.locator("[part~=pill]").click()
    expect(items(page)).to_have_text([re.compile(title), re.compile("Old")])


def test_a_list_that_is_read_further_down_does_not_jump(visit, alice, deliver, publish):
    page = visit(alice).new_page()
    deliver(alice, *[f"Number {n}" for n in range(25)])
    open_inbox(page)
    expect(items(page)).to_have_count(25)
    reach(page, "live")
    items(page).nth(20).scroll_into_view_if_needed()
    before = items(page).nth(20).bounding_box()

    title = publish(alice)

    pill = page.get_by_role("button", name="1 new notification")
    expect(pill).to_be_visible()
    assert items(page).nth(20).bounding_box() == before
    pill.click()
    expect(items(page).first).to_contain_text(title)


def test_tabs_and_devices_are_in_step(visit, alice, deliver):
    deliver(alice, "One")
    laptop, phone = visit(alice), visit(alice)
    pages = [laptop.new_page(), laptop.new_page(), phone.new_page()]
    for page in pages:
        open_inbox(page)
        expect(items(page)).to_have_count(1)
        reach(page, "live")

    pages[0].get_by_role("button", name="Mark as read", exact=True).click()
    for page in pages:
        expect(page.get_by_role("button", name="Mark as unread")).to_be_visible()
    pages[2].get_by_role("button", name="Archive", exact=True).click()
    for page in pages:
        expect(items(page)).to_have_count(0)


def test_another_persons_tabs_hear_nothing(visit, alice, bob, publish):
    hers, his = visit(alice).new_page(), visit(bob).new_page()
    for page in (hers, his):
        page.goto("/host/")
        reach(page, "live")

    publish(alice)

    expect(bell(hers)).to_have_accessible_name("Notifications, 1 new")
    expect(bell(his)).to_have_accessible_name("Notifications")


def test_ten_tabs_have_one_stream_and_another_takes_over(visit, alice, publish):
    context = visit(alice)
    streams = Streams(context)
    pages = [context.new_page() for _ in range(TABS)]
    for page in pages:
        page.goto("/host/")
    for page in pages:
        reach(page, "live")
    assert len(streams.open) == 1

    publish(alice)
    for page in pages:
        expect(bell(page)).to_have_accessible_name("Notifications, 1 new")
    (stream,) = streams.open
    leader = stream.frame.page
    leader.close()
    others = [page for page in pages if page is not leader]
    for page in others:
        reach(page, "live")
    publish(alice)
    for page in others:
        expect(bell(page)).to_have_accessible_name("Notifications, 2 new")
    assert streams.opened == 2


def test_what_happened_while_offline_is_there_afterwards(visit, alice, publish):
    context = visit(alice)
    page = context.new_page()
    page.goto("/host/")
    reach(page, "live")

    context.set_offline(True)
    reach(page, "offline")
    titles = [publish(alice) for _ in range(3)]
    while Notification.objects.count() < 3:
        page.wait_for_timeout(50)
    expect(bell(page)).to_have_accessible_name("Notifications")
    context.set_offline(False)

    expect(bell(page)).to_have_accessible_name("Notifications, 3 new")
    bell(page).click()
    expect(items(page)).to_have_count(3)
    assert {found(r"Order ORD-\d+", text) for text in items(page).all_text_contents()} == set(titles)
    reach(page, "live")


def test_where_nothing_can_stream_it_polls(visit, alice, publish):
    context = visit(alice)
    answer = '{"url": null, "expires_in": 60, "poll_seconds": 1}'
    context.route("**/stream/token/", lambda route: route.fulfill(body=answer, content_type="application/json"))
    streams = Streams(context)
    page = context.new_page()
    page.goto("/host/")
    reach(page, "polling")

    publish(alice)

    expect(bell(page)).to_have_accessible_name("Notifications, 1 new")
    assert streams.opened == 0


def test_logged_out_elsewhere_the_stream_ends(visit, alice, client_of_session, publish):
    context = visit(alice)
    page = context.new_page()
    page.goto("/host/")
    reach(page, "live")

    client_of_session(context).logout()

    reach(page, "logged-out")
