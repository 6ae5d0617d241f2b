"""Operators at work, with a real worker behind: hold a channel and let it go, and send round again what failed."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from notifications.models import Attempt, Delivery, Pause
from notifications.publishing import publish_notification
from notifications.services import pauses
from notifications.types import DeliveryState, Outcome, PauseOrigin, PauseScope, Reason
from tests.browser.looking import PATIENCE

pytestmark = pytest.mark.browser

PAUSES = "/admin/notifications/pause/"
FAILURES = f"{PAUSES}failures/"


def until(holds, seconds=PATIENCE):
    """Wait until something holds in the database."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, list(Delivery.objects.values_list("channel", "state", "reason"))
        time.sleep(0.1)


def by_sms(**wanted):
    return Delivery.objects.filter(channel="sms", **wanted)


def order(alice):
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-1"})


def test_a_channel_is_paused_its_work_held_and_delivered_once_it_is_resumed(visit, admin_user, alice, kind):
    page = visit(admin_user).new_page()
    page.goto(PAUSES)
    page.get_by_label("What", exact=False).select_option(label="text message")
    page.get_by_label("Why").fill("Provider is down")
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("Held: text message.")).to_be_visible()
    # Every process has heard of it after a second.
    time.sleep(1.5)

    order(alice)
    until(lambda: Delivery.objects.filter(channel="email", state=DeliveryState.SENT).exists())
    assert by_sms().get().state == DeliveryState.PENDING
    page.goto("/admin/")
    expect(page.get_by_text("Provider is down")).to_be_visible()
    page.get_by_role("link", name="Pauses", exact=True).first.click()
    page.get_by_role("link", name="Resume text message").click()
    expect(page.get_by_text("1 × text message")).to_be_visible()
    page.get_by_role("button", name="Resume").click()

    expect(page.get_by_text("Nothing is held.")).to_be_visible()
    until(lambda: by_sms(state=DeliveryState.SENT).exists())


def test_a_group_of_failures_is_sent_round_again_and_arrives(visit, admin_user, alice, kind):
    order(alice)
    until(lambda: by_sms(state=DeliveryState.SENT).exists())
    # As if the provider had refused it.
    Attempt.objects.filter(delivery__channel="sms").update(outcome=Outcome.PERMANENT, code="503")
    by_sms().update(state=DeliveryState.FAILED, reason=Reason.REJECTED)
    page = visit(admin_user).new_page()
    page.goto(FAILURES)
    row = page.get_by_role("row").filter(has_text="503")
    expect(row).to_contain_text("the provider refused it")

    row.get_by_role("link", name="Send round again").click()
    expect(page.get_by_role("heading", name="1 would be sent round again")).to_be_visible()
    assert by_sms().get().state == DeliveryState.FAILED
    page.get_by_role("button", name="Send round again").click()

    expect(page.get_by_text("1 is sent round again.")).to_be_visible()
    expect(page.get_by_text("Nothing failed.")).to_be_visible()
    until(lambda: by_sms(state=DeliveryState.SENT).exists())


def test_a_breaker_is_opened_and_closed_by_keyboard(visit, admin_user):
    page = visit(admin_user).new_page()
    page.goto(PAUSES)
    row = page.get_by_role("row").filter(has_text="EmailChannel")
    expect(row).to_contain_text("closed: it may send")

    row.get_by_role("link", name="Open").press("Enter")
    page.get_by_label("Why").fill("Being replaced")
    page.get_by_label("Why").press("Enter")
    row = (
        page.get_by_role("row")
        .filter(has_text="closed: it may send")
        .or_(page.get_by_role("row").filter(has_text="held by staff"))
        .filter(has_text="EmailChannel")
    )
    expect(row).to_contain_text("held by staff")
    row.get_by_role("link", name="Close").press("Enter")
    page.get_by_role("button", name="Resume").press("Enter")

    expect(row).to_contain_text("closed: it may send")


@pytest.fixture
def busy(kind, admin_user):
    """Something on every page."""
    now = timezone.now()
    pauses.pause(PauseScope.CHANNEL, "sms", now=now, note="Provider is down", by=admin_user)
    Pause.objects.create(
        scope=PauseScope.BACKEND,
        key="notifications.channels.email.EmailChannel",
        origin=PauseOrigin.BREAKER,
        created_at=now,
        until=now + timedelta(minutes=10),
    )
    pauses.pause(PauseScope.TEMPLATE, kind.pk, now=now)
    pauses.resume(PauseScope.TEMPLATE, kind.pk, now=now)
    fields = {"channel": "email", "template": kind, "created_at": now, "due_at": now, "finished_at": now}
    Delivery.objects.create(state=DeliveryState.FAILED, reason=Reason.REJECTED, backend="Smtp", **fields)
    Delivery.objects.create(state=DeliveryState.UNKNOWN, backend="Smtp", address="x", **fields)
    return [
        PAUSES,
        f"{PAUSES}{Pause.objects.get(scope='channel').pk}/resume/",
        FAILURES,
        f"{FAILURES}again/?stage=delivery&channel=email&reason=&backend=Smtp&code=",
        f"{PAUSES}retention/",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_on_the_pages_keeps_people_out(visit, admin_user, busy, scheme):
    page = visit(admin_user, color_scheme=scheme).new_page()
    found = {}
    for path in busy:
        page.goto(path)
        rules = Axe().run(page).response["violations"]
        serious = [rule for rule in rules if rule["impact"] in {"serious", "critical"}]
        if serious:
            found[path] = [(rule["id"], [node["html"][:150] for node in rule["nodes"]][:3]) for rule in serious]

    assert found == {}


def test_a_phone_shows_the_pages_without_going_sideways(visit, admin_user, busy):
    page = visit(admin_user, viewport={"width": 375, "height": 720}, is_mobile=True, has_touch=True).new_page()
    widths = {}
    for path in busy:
        page.goto(path)
        widths[path] = page.locator("html").evaluate("element => element.scrollWidth")

    assert {path: width for path, width in widths.items() if width > 375} == {}
