"""Staff who look into what became of a message: find it, look at it, and do something about it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from notifications.models import Attempt, Delivery, Event
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.types import Priority
from tests.browser.looking import grave
from tests.browser.test_access import SCHEMES

pytestmark = pytest.mark.browser

LIST, FIND = "/admin/notifications/delivery/", "/admin/notifications/delivery/find/"
#: Where pictures go for who wants to look; empty: nowhere.
PICTURES = os.environ.get("PICTURES", "")


@pytest.fixture
def failed(alice, bob, kind):
    """A minute ago, Alice and Bob were told of orders; the first e-mail to Alice came to nothing after two tries."""
    now = timezone.now() - timedelta(minutes=1)
    # The site has a worker, who would send them: it sees nothing before they are what they should be.
    with time_machine.travel(now), transaction.atomic():
        for number in range(3):
            for user in (alice, bob):
                about = f"orders.order:{number}"
                publish_notification(
                    "ORDER_CREATED", recipient=user, variables={"order_number": f"ORD-{number}"}, about=about
                )
        while dispatch_batch(Priority.LOW, more=lambda: None):
            pass
        Delivery.objects.filter(state="pending").update(due_at=now + timedelta(days=1))
        row = Delivery.objects.filter(recipient=alice, channel="email").order_by("pk")[0]
        for number, outcome in ((1, "transient"), (2, "permanent")):
            Attempt.objects.create(
                delivery=row, number=number, backend="EmailChannel", outcome=outcome,
                code="451" if number == 1 else "550", started_at=now + timedelta(seconds=number),
                duration=timedelta(milliseconds=120),
            )  # fmt: skip
        Delivery.objects.filter(pk=row.pk).update(
            state="failed", reason="rejected", attempts=2, finished_at=now + timedelta(seconds=3)
        )
    return row


def shoot(page, name):
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def test_find_by_email_then_timeline_delivery_reveal_retry(staff, failed):
    page = staff()
    page.goto(LIST)
    page.get_by_role("searchbox", name="Find").fill("alice@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Timeline of alice").first).to_be_visible()
    first = page.locator(".log-entries > li").filter(has_text="orders.order:0")
    expect(first).to_contain_text("the provider refused it")
    first.get_by_role("link", name="e-mail").click()

    expect(page.get_by_text("Try 2: refused")).to_be_visible()
    expect(page.get_by_text("alice@example.com")).to_have_count(0)
    page.get_by_role("button", name="Reveal words and address").click()
    expect(page.get_by_text("alice@example.com")).to_be_visible()
    expect(page.get_by_text("Your order ORD-0")).to_be_visible()
    assert list(LogEntry.objects.values_list("object_id", "user__username")) == [(str(failed.pk), "admin")]

    page.get_by_role("button", name="Retry now").click()
    expect(page.get_by_text("It is sent round again.")).to_be_visible()
    failed.refresh_from_db()
    assert failed.state != "failed"


def test_what_waits_is_cancelled_on_its_page(staff, failed):
    waiting = Delivery.objects.filter(channel="email", state="pending").order_by("-pk")[0]
    page = staff()
    page.goto(f"{LIST}{waiting.pk}/change/")
    page.get_by_role("button", name="Cancel it").click()

    expect(page.get_by_text("It was called back.")).to_be_visible()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("cancelled", "staff_cancelled")


def test_without_javascript_it_is_said_once_more_after_a_confirmation(staff, failed):
    page = staff(java_script_enabled=False)
    page.goto(f"{LIST}{failed.pk}/change/")
    page.get_by_text("Say it once more …").click()
    page.get_by_label("Yes, tell them once more").check()
    page.get_by_role("button", name="Say it once more").click()

    expect(page.get_by_text("It is said once more, by this event.")).to_be_visible()
    assert Event.objects.filter(idempotency_key__startswith=f"resent:{failed.pk}:").count() == 1


def test_a_filter_then_all_of_it_is_called_back(staff, failed):
    page = staff()
    page.goto(LIST)
    page.get_by_label("state").select_option("pending")
    page.get_by_label("channel").select_option("sms")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Call back all of these that wait").click()
    page.get_by_label("Type 3 to confirm").fill("3")
    page.get_by_role("button", name="Call back").click()

    expect(page.get_by_text("Called back: 3")).to_be_visible()
    assert Delivery.objects.filter(channel="sms", state="cancelled").count() == 3


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_grave_on_the_pages_of_the_logs(staff, failed, alice, scheme):
    page = staff(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    event = Event.objects.order_by("pk")[0]
    places = {
        "list": LIST,
        "notifications": "/admin/notifications/notification/",
        "event": f"/admin/notifications/event/{event.pk}/change/",
        "find": f"{FIND}?q=orders.order:0",
        "timeline": f"/admin/notifications/delivery/timeline/{alice.pk}/",
        "delivery": f"{LIST}{failed.pk}/change/",
        "bulk": f"{LIST}bulk/retry/?state__exact=failed",
    }
    for name, place in places.items():
        page.goto(place)
        shoot(page, f"logs-{name}-{scheme}")
        assert grave(page) == [], place


def test_on_a_phone_nothing_is_wider_than_it(staff, failed, alice):
    page = staff(viewport={"width": 375, "height": 720}, locale="de-DE", extra_http_headers={"Accept-Language": "de"})
    for name, place in {
        "list": LIST,
        "find": f"{FIND}?q=orders.order:0",
        "timeline": f"/admin/notifications/delivery/timeline/{alice.pk}/",
        "delivery": f"{LIST}{failed.pk}/change/",
        "bulk": f"{LIST}bulk/retry/?state__exact=failed",
    }.items():
        page.goto(place)
        shoot(page, f"logs-{name}-phone-de")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, place
