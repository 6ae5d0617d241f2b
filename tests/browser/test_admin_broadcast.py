"""Staff who tell many: from the wording to the count, the start, the first few, and calling it back."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import expect

from notifications.maintenance import progress
from notifications.models import Broadcast, Delivery, Notification
from notifications.pipeline import broadcasting, pausing
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.services import pauses
from notifications.types import BroadcastState, DeliveryState, PauseScope, Priority
from tests.browser.test_access import SCHEMES

pytestmark = pytest.mark.browser

COMPOSE = "/admin/notifications/broadcast/compose/"
PHONE = {"width": 375, "height": 720}


@pytest.fixture
def people(kind):
    model = get_user_model()
    rows = [model(username=f"user{number}", email=f"u{number}@example.com") for number in range(20)]
    return model.objects.bulk_create(rows)


@pytest.fixture
def staff(visit, admin_user):
    """Return a function that opens a page of an administrator's."""
    return lambda **options: visit(admin_user, **options).new_page()


def cancel(page):
    """Press it twice: the second is behind the first."""
    page.get_by_text("Cancel the broadcast").click()
    page.get_by_role("button", name="Cancel it for good").click()


@pytest.fixture
def mailed():
    """Return a function that tells to whom e-mail went out."""
    return lambda: list(Delivery.objects.filter(channel="email", state=DeliveryState.SENT).values_list("address"))


def work():
    """Do what the workers do."""
    while broadcasting.expand_batch(more=lambda: None):
        pass
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


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


def test_from_the_wording_to_the_first_few_and_called_back(staff, people):
    page = staff()
    compose(page, people)
    page.get_by_label("Tell so many percent first").fill("10")
    page.get_by_role("button", name="Start the broadcast").click()
    standing = page.locator("#n-standing")
    expect(standing).to_have_text("sending")
    page.evaluate("window.isTheSamePage = true")
    work()

    expect(standing).to_have_text("waiting after the first few")
    assert page.evaluate("window.isTheSamePage"), "it was loaded, not kept fresh"
    expect(page.get_by_role("button", name="Tell the rest")).to_be_visible()
    cancel(page)
    expect(standing).to_have_text("cancelled")
    work()

    assert Broadcast.objects.get().state == BroadcastState.CANCELLED
    assert Notification.objects.count() == 2
    expect(page.get_by_text("Cancel the broadcast")).to_have_count(0)


def test_half_way_it_is_cancelled_and_no_further_message_goes_out(staff, people, mailed, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "DELIVERY_BATCH": 5}
    page = staff()
    compose(page, people)
    page.get_by_role("button", name="Start the broadcast").click()
    expect(page.locator("#n-standing")).to_have_text("sending")
    work()
    deliver_batch("email", more=lambda: None)
    progress.run_once(timezone.now(), 10)
    expect(page.locator(".n-tiles > div", has_text="Sent").first.locator("strong")).to_have_text("25")

    cancel(page)
    expect(page.locator("#n-standing")).to_have_text("cancelled")
    while deliver_batch("email", more=lambda: None):
        pass
    progress.run_once(timezone.now() + progress.EVERY, 10)

    assert len(mailed()) == 5
    expect(page.locator(".n-tiles > div", has_text="Not sent").locator("strong")).to_have_text("15")
    expect(page.get_by_text("Over", exact=True)).to_be_visible()


def test_paused_and_resumed_the_page_offers_the_other_without_being_loaded(staff, people, mailed):
    page = staff()
    compose(page, people)
    page.get_by_role("button", name="Start the broadcast").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#n-standing")).to_have_text("paused")
    pausing.forget()
    work()
    assert not Notification.objects.exists()

    page.evaluate("window.isTheSamePage = true")
    broadcast = Broadcast.objects.get()
    pauses.resume(PauseScope.BROADCAST, str(broadcast.pk), now=timezone.now())
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert page.evaluate("window.isTheSamePage")
    work()
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
    page.get_by_label("Tell so many percent first").fill("10")
    page.get_by_role("button", name="Start the broadcast").click()
    expect(page.locator("#n-standing")).to_have_text("sending")
    look()
