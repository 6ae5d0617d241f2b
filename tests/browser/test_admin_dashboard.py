"""The first page of operators: it follows what happens, can be told not to, and says everything without a script."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from notifications import ids
from notifications.models import DailyStat, WorkerHeartbeat
from notifications.services import monitor, pauses
from notifications.types import PauseScope

pytestmark = pytest.mark.browser

WEEK = "/admin/?window=7d"


@pytest.fixture
def counted(transactional_db):
    """A week of which the totals are known."""
    today = timezone.now().date()
    for ago in range(7):
        for state, reason, number in (("sent", "", 900 + ago), ("failed", "rejected", 7)):
            day = today - timedelta(days=ago)
            DailyStat.objects.create(
                day=day, template="ORDER_CREATED", channel="email", state=state, reason=reason, number=number
            )


@pytest.fixture
def forgotten(transactional_db):
    """The server's answers of the test before are too old to be given again."""
    time.sleep(monitor.MAX_AGE)


def another_worker():
    now = timezone.now()
    soon = now + timedelta(minutes=5)
    WorkerHeartbeat.objects.create(id=ids.uuid7(), host="second", process=2, threads=10, started_at=now, seen_at=soon)


def hold(note):
    pauses.pause(PauseScope.CHANNEL, "sms", now=timezone.now(), note=note)


def test_it_refreshes_itself_says_what_changed_and_leaves_open_what_is_open(visit, admin_user, counted):
    page = visit(admin_user).new_page()
    page.goto(WEEK)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("cell", name="906", exact=True)).to_be_visible()

    another_worker()
    hold("Provider is down")

    expect(page.get_by_text("Provider is down")).to_be_visible()
    expect(page.get_by_role("rowheader", name="second:2")).to_be_visible()
    expect(page.get_by_role("cell", name="906", exact=True)).to_be_visible()
    expect(page.locator("summary:focus")).to_have_text("As a table")


def top_of(page, name):
    return page.get_by_role("heading", name=name).evaluate("element => Math.round(element.getBoundingClientRect().top)")


def test_what_appears_above_moves_neither_the_focus_nor_what_is_looked_at(visit, admin_user, counted, forgotten):
    page = visit(admin_user, viewport={"width": 1280, "height": 500}).new_page()
    page.goto(WEEK)
    link = page.get_by_role("link", name="the provider refused it")
    link.focus()
    page.get_by_role("heading", name="Why deliveries failed").evaluate("element => element.scrollIntoView()")
    before = top_of(page, "Why deliveries failed")

    hold("Provider is down")
    another_worker()

    expect(page.get_by_role("rowheader", name="second:2")).to_be_visible()
    expect(page.get_by_text("Provider is down")).not_to_be_in_viewport()
    expect(link).to_be_focused()
    assert abs(top_of(page, "Why deliveries failed") - before) <= 1


def test_what_had_the_focus_and_is_gone_leaves_it_in_its_place(visit, admin_user, forgotten):
    hold("Provider is down")
    page = visit(admin_user).new_page()
    page.goto("/admin/")
    page.locator("#dashboard").get_by_role("link", name="Pauses", exact=True).focus()

    pauses.resume(PauseScope.CHANNEL, "sms", now=timezone.now())

    expect(page.get_by_text("Provider is down")).to_be_hidden()
    expect(page.locator("#dashboard")).to_be_focused()


def test_a_change_of_the_whole_state_is_read_out_politely(visit, admin_user, forgotten):
    page = visit(admin_user).new_page()
    page.goto("/admin/")
    said = page.locator("#dashboard-said")
    expect(said).to_have_role("status")
    expect(said).to_be_empty()

    another_worker()

    expect(said).to_contain_text("are alive")


def test_switched_off_it_stays_as_it_is_also_the_next_time(visit, admin_user):
    page = visit(admin_user).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "dashboard/" in request.url else None)
    page.goto("/admin/")
    button = page.get_by_role("button", name="Refresh by itself")
    expect(button).to_have_attribute("aria-pressed", "true")

    button.click()
    page.goto("/admin/")
    expect(button).to_have_attribute("aria-pressed", "false")
    asked.clear()
    page.wait_for_timeout(7000)

    assert asked == []
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(500)
    assert len(asked) == 1


def test_logged_out_it_stops_and_says_so(visit, admin_user):
    context = visit(admin_user)
    page = context.new_page()
    page.goto("/admin/")

    context.clear_cookies()

    expect(page.get_by_role("status")).to_have_text("Not refreshed any more: log in again.")
    expect(page.get_by_role("button", name="Refresh by itself")).to_have_attribute("aria-pressed", "false")


def test_without_a_script_everything_is_there(visit, admin_user, counted):
    page = visit(admin_user, java_script_enabled=False).new_page()
    page.goto("/admin/")
    page.get_by_role("link", name="7 days").click()

    expect(page.get_by_role("img", name="Outcomes over time, e-mail")).to_be_visible()
    expect(page.get_by_role("button", name="Refresh by itself")).to_be_hidden()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("cell", name="906", exact=True)).to_be_visible()
    page.get_by_role("link", name="the provider refused it").click()
    asked = r"/delivery/\?state__exact=failed&channel__exact=email&reason__exact=rejected&since=\d{4}-\d\d-\d\dT"
    expect(page).to_have_url(re.compile(asked))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_on_it_keeps_people_out(visit, admin_user, counted, scheme):
    hold("Provider is down")
    page = visit(admin_user, color_scheme=scheme).new_page()
    page.goto(WEEK)
    page.get_by_text("As a table").click()

    found = Axe().run(page).response["violations"]

    serious = [rule for rule in found if rule["impact"] in {"serious", "critical"}]
    assert [(rule["id"], [node["html"][:150] for node in rule["nodes"]]) for rule in serious] == []


def test_a_phone_shows_all_of_it_without_going_sideways(visit, admin_user, counted):
    page = visit(admin_user, viewport={"width": 375, "height": 720}, is_mobile=True, has_touch=True).new_page()
    page.goto(WEEK)

    # Told by its parts: the page's content policy lets nobody evaluate a text inside.
    width = page.locator("html").evaluate("element => element.scrollWidth")
    assert width <= 375
