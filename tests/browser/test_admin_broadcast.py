"""Staff who tell many: from the wording to the count, the start, the first few, and calling it back."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import expect

from notifications.models import Broadcast, Delivery, Notification
from notifications.services import pauses
from notifications.types import BroadcastState, DeliveryState, PauseScope
from tests.browser.test_access import SCHEMES

pytestmark = pytest.mark.browser

COMPOSE = "/admin/notifications/broadcast/compose/"
PHONE = {"width": 375, "height": 720}


@pytest.fixture
def people(kind):
    model = get_user_model()
    rows = [model(username=f"user{number}", email=f"u{number}@example.com") for number in range(20)]
    return model.objects.bulk_create(rows)


def cancel(page):
    """Press it twice: the second is behind the first."""
    page.get_by_text("Cancel the broadcast").click()
    page.get_by_role("button", name="Cancel it for good").click()


def tile(page, name):
    return page.locator(".n-tiles > div").filter(has=page.get_by_text(name, exact=True)).locator("strong")


def compose(page, people, looked_at=lambda: None):
    """Write a broadcast to a list, up to the numbers; `looked_at` is called on each page."""
    page.goto(COMPOSE)
    looked_at()
    page.get_by_label("Template").select_option("ORDER_CREATED")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("order_number").fill("ORD-1")
    page.get_by_role("button", name="Save and preview").click()
    expect(page.get_by_role("heading", name="Preview of what is saved")).to_be_visible()
    expect(page.get_by_text("ORD-1").first).to_be_visible()
    looked_at()
    page.get_by_role("button", name="Save, and choose to whom").click()
    looked_at()
    page.get_by_label("Or a list of people").fill("\n".join(user.username for user in people))
    page.get_by_role("button", name="Save, and count").click()
    # Nobody presses "Count further": the script does.
    expect(page.get_by_role("button", name="Start the broadcast")).to_be_visible()
    expect(page.locator("#n-recipients")).to_have_text(str(len(people)))
    looked_at()


def start(page, **filled):
    """Start what is composed, and wait for its page."""
    for label, value in filled.items():
        page.get_by_label(label.replace("_", " ")).fill(value)
    page.get_by_role("button", name="Start the broadcast").click()
    expect(page.locator("#n-standing")).to_be_visible()
    page.evaluate("window.isTheSamePage = true")


def is_kept_fresh(page):
    return page.evaluate("window.isTheSamePage") is True


def test_from_the_wording_to_the_first_few_and_called_back(staff, people):
    page = staff()
    compose(page, people)
    start(page, Tell_so_many_percent_first="10")

    expect(page.locator("#n-standing")).to_have_text("waiting after the first few")
    expect(page.get_by_role("button", name="Tell the rest")).to_be_visible()
    expect(tile(page, "Told so far")).to_have_text("2")
    assert is_kept_fresh(page)
    cancel(page)
    expect(page.locator("#n-standing")).to_have_text("cancelled")
    page.wait_for_timeout(2000)

    assert Broadcast.objects.get().state == BroadcastState.CANCELLED
    assert Notification.objects.count() == 2
    expect(page.get_by_text("Cancel the broadcast")).to_have_count(0)


def test_after_the_first_few_the_rest_is_told_up_to_the_end(staff, people):
    page = staff()
    compose(page, people)
    start(page, Tell_so_many_percent_first="10")
    page.get_by_role("button", name="Tell the rest").click()

    expect(page.locator("#n-standing")).to_have_text("complete")
    expect(tile(page, "Sent")).to_have_text(str(2 * len(people)))
    expect(page.locator("#n-live .n-bar")).to_contain_text("100 %")
    expect(page.locator("#n-steer")).to_be_empty()


def test_half_way_it_is_cancelled_and_no_further_message_goes_out(staff, people):
    pauses.pause(PauseScope.CHANNEL, "email", now=timezone.now())
    page = staff()
    compose(page, people)
    start(page)
    # In the inbox they have it; the e-mails wait.
    expect(tile(page, "Sent")).to_have_text(str(len(people)))
    expect(page.get_by_text("Nothing is sent at present by: e-mail.")).to_be_visible()
    assert is_kept_fresh(page)

    cancel(page)
    pauses.resume(PauseScope.CHANNEL, "email", now=timezone.now())
    expect(tile(page, "Not sent")).to_have_text(str(len(people)))
    page.wait_for_timeout(2000)

    mails = Delivery.objects.filter(channel="email")
    assert set(mails.values_list("state", "sent_at")) == {(DeliveryState.CANCELLED, None)}
    expect(page.locator("#n-standing")).to_have_text("cancelled")


def test_paused_it_stands_still_and_resumed_it_goes_on(staff, people):
    page = staff()
    compose(page, people)
    start(page, Send_at="2038-07-01T09:00")
    expect(page.locator("#n-standing")).to_have_text("scheduled")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#n-standing")).to_have_text("paused")
    page.wait_for_timeout(1100)

    Broadcast.objects.update(due_at=timezone.now())
    page.wait_for_timeout(3000)
    assert (Broadcast.objects.get().state, Notification.objects.count()) == (BroadcastState.PENDING, 0)
    page.get_by_role("button", name="Resume").click()

    expect(page.locator("#n-standing")).to_have_text("complete")
    assert Notification.objects.count() == len(people)


def test_who_is_not_known_is_named_and_can_be_left_out(staff, people):
    page = staff()
    page.goto(COMPOSE)
    page.get_by_label("Template").select_option("ORDER_CREATED")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("order_number").fill("ORD-1")
    page.get_by_role("button", name="Save, and choose to whom").click()
    page.get_by_label("Or a list of people").fill("user0, Some One <u1@example.com>\nnobody@example.com")
    page.get_by_role("button", name="Save, and count").click()
    expect(page.get_by_text("Line 2: there is no user “nobody@example.com”.")).to_be_visible()

    page.get_by_label("Leave out what names nobody").check()
    page.get_by_role("button", name="Save, and count").click()

    expect(page.locator("#n-recipients")).to_have_text("2")
    expect(page.get_by_role("button", name="Start the broadcast")).to_be_visible()


@pytest.mark.parametrize("options", [{"color_scheme": scheme} for scheme in SCHEMES] + [{"viewport": PHONE}], ids=str)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(staff, people, options):
    page = staff(**options)

    def look():
        found = Axe().run(page).response["violations"]
        grave = [rule for rule in found if rule["impact"] in {"serious", "critical"}]
        assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in grave] == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url

    compose(page, people, look)
    start(page, Tell_so_many_percent_first="10")
    expect(page.locator("#n-standing")).to_have_text("waiting after the first few")
    page.get_by_text("Cancel the broadcast").click()
    look()
