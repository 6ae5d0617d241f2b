"""Staff who tell many: from the wording to the count, the start, the first few, and calling it back."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from notifications.models import Broadcast, Notification
from notifications.pipeline import broadcasting
from notifications.pipeline.dispatch import dispatch_batch
from notifications.types import BroadcastState, Priority
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
    page.get_by_role("button", name="Cancel the broadcast").click()
    expect(standing).to_have_text("cancelled")
    work()

    assert Broadcast.objects.get().state == BroadcastState.CANCELLED
    assert Notification.objects.count() == 2
    expect(page.get_by_role("button", name="Cancel the broadcast")).to_have_count(0)


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
