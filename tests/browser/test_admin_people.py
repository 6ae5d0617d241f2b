"""Staff who help somebody: find them, see what they want and why they got nothing, change it, export it, erase it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from notifications.models import ConsentChange, Erasure, Mute, Notification, Preference, Suppression
from notifications.pipeline.dispatch import dispatch_batch
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.publishing import publish_notification
from notifications.types import Priority, Reason, SuppressionSource
from tests.browser.looking import grave
from tests.browser.test_access import SCHEMES
from tests.factories import make_endpoint

pytestmark = pytest.mark.browser

PEOPLE = "/admin/notifications/recipientsettings/people/"
WHY = "/admin/notifications/recipientsettings/why/"
PHONE = {"width": 375, "height": 720}


@pytest.fixture
def lived(alice, kind):
    """Alice was told of an order, switched something off, and one of her addresses is out of use."""
    # The site's worker sees the event when it is dispatched, and does not take half of the work.
    with transaction.atomic():
        publish_notification(
            "ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-1"}, about="orders.order:42"
        )
        dispatch_batch(Priority.LOW, more=lambda: None)
    Preference.objects.create(recipient=alice, category_id="orders", channel="sms", cadence="off")
    make_endpoint(alice, label="Laptop")
    Mute.objects.create(recipient=alice, about="orders.order:7", created_at=timezone.now())
    found = Unusable(channel="email", address=alice.email, reason=Reason.HARD_BOUNCE, code="5.1.1", recipient=alice.pk)
    suppress([found], source=SuppressionSource.PROVIDER, now=timezone.now())
    return alice


def test_why_somebody_without_a_row_got_nothing(staff, lived, charlie):
    page = staff()
    page.goto(WHY)
    page.get_by_label("User", exact=True).fill("charly")
    page.get_by_label("Template", exact=True).fill("ORDER_CREATED")
    page.get_by_label("Object", exact=True).fill("orders.order:42")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("did you mean 'charlie'")).to_be_visible()

    page.get_by_label("User", exact=True).fill("charlie")
    page.keyboard.press("Enter")

    expect(page.get_by_text("No event about orders.order:42 that names this user is on record.")).to_be_visible()
    expect(page.get_by_role("region", name="Re-evaluated now").get_by_text("e-mail:").first).to_be_visible()
    page.get_by_role("link", name="The page of charlie").click()
    expect(page.get_by_text("They changed nothing yet.")).to_be_visible()


def test_a_wish_is_changed_on_somebodys_behalf_and_only_with_a_note(staff, lived):
    page = staff()
    page.goto(PEOPLE)
    page.get_by_label("Who").fill("alice@example.com")
    page.keyboard.press("Enter")
    page.get_by_label("orders, text message").select_option("")
    wishes = page.get_by_role("region", name="What they want to hear").first
    save = page.locator("#wishes").get_by_role("button", name="Save on their behalf")
    save.click()
    expect(page.locator("#wishes").get_by_text("This field is required.")).to_be_visible()

    page.locator("#wishes").get_by_label("Note").fill("She rang us.")
    save.click()

    expect(page.locator("#history").get_by_text("She rang us.")).to_be_visible()
    expect(wishes).to_be_visible()
    assert not Preference.objects.exists()
    assert ConsentChange.objects.get().note == "She rang us."


def test_a_suppression_is_lifted_with_a_reason(staff, lived):
    page = staff()
    page.goto(f"{PEOPLE}{lived.pk}/")
    lift = page.locator("#lift")
    lift.locator("summary").click()
    lift.get_by_label("Note").fill("She wrote from there today.")
    lift.get_by_role("button", name="Lift").click()

    expect(page.locator("#lift").get_by_text("She wrote from there today.")).to_be_visible()
    assert Suppression.objects.get().lifted_at is not None


def test_what_is_held_is_exported_and_erased(staff, lived):
    page = staff()
    page.goto(f"{PEOPLE}{lived.pk}/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    told = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert told["notification"][0]["title"] == "Order ORD-1"

    page.get_by_role("link", name="Erase…").click()
    page.get_by_label("User name, typed once more").fill("alicia")
    page.get_by_label("Note").fill("Ticket 7")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("nothing is erased")).to_be_visible()
    assert Notification.objects.exists()

    page.get_by_label("User name, typed once more").fill("alice")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Everything is erased.")).to_be_visible()
    assert not Notification.objects.exists()
    assert Erasure.objects.get().note == "Ticket 7"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_on_the_pages_about_people(staff, lived, scheme):
    page = staff(color_scheme=scheme)
    for path in (
        PEOPLE,
        f"{PEOPLE}?q=alicia",
        f"{PEOPLE}{lived.pk}/",
        f"{PEOPLE}{lived.pk}/erase/",
        f"{WHY}?user=alice&template=ORDER_CREATED&about=orders.order:43",
        f"{WHY}?user=alicia&template=",
    ):
        page.goto(path)
        assert grave(page) == [], path


def test_nothing_is_wider_than_a_telephone(staff, lived):
    page = staff(viewport=PHONE)
    for path in (f"{PEOPLE}{lived.pk}/", f"{WHY}?user=alice&template=ORDER_CREATED"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
