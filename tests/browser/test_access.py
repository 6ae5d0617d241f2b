"""For everybody: by keyboard, by ear, on a narrow screen, in the dark, in German."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from notifications.models import Notification
from tests.browser.looking import bell, items, open_inbox

pytestmark = pytest.mark.browser

SCHEMES = ["light", "dark"]
CENTER = "notification-center"


def violations(page, within="html"):
    """Return what axe finds, as rules and the elements they are about."""
    found = Axe().run(page, context=within).response["violations"]
    return [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_in_the_inbox(visit, alice, deliver, scheme):
    page = visit(alice, color_scheme=scheme).new_page()
    button = [{"name": "confirm_arrival", "run_at": None, "result": ""}]
    deliver(alice, "One", "Two", action_url="/host/", action_text="Go", actions=button, priority=0)
    deliver(alice, "Read")
    open_inbox(page)
    items(page).first.get_by_role("button", name="Mark as read", exact=True).click()
    expect(items(page).first.get_by_role("button", name="Mark as unread")).to_be_visible()
    assert violations(page, CENTER) == []

    items(page).first.get_by_role("button", name="More", exact=True).click()
    assert violations(page, CENTER) == []
    items(page).first.get_by_role("button", name="Snooze", exact=True).click()
    assert violations(page, CENTER) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_in_the_preferences(visit, alice, kind, scheme):
    page = visit(alice, color_scheme=scheme).new_page()
    inbox = open_inbox(page)
    inbox.get_by_role("button", name="Preferences").click()
    expect(inbox.get_by_role("combobox").first).to_be_visible()

    assert violations(page, CENTER) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_axe_finds_nothing_on_the_pages(visit, alice, deliver, scheme, script):
    deliver(alice, "One", "Two")
    page = visit(alice, color_scheme=scheme, java_script_enabled=script).new_page()
    for path in ("/notifications/", "/notifications/preferences/"):
        page.goto(path)
        expect(page.get_by_role("heading").first).to_be_visible()
        if script:
            assert violations(page) == []


def test_axe_would_tell(visit, alice):
    page = visit(alice).new_page()
    page.goto("/host/")
    page.evaluate("document.querySelector('notification-center').shadowRoot.append(document.createElement('button'))")

    assert [rule for rule, _ in violations(page, CENTER)] == ["button-name"]


def test_everything_by_keyboard(visit, alice, deliver):
    deliver(alice, "One", "Two")
    page = visit(alice).new_page()
    page.goto("/host/")
    expect(bell(page)).to_have_text("2")
    keyboard = page.keyboard

    def focused():
        return page.evaluate(
            "() => { let e = document.activeElement; while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;"
            " return e.getAttribute('aria-label') || e.title || e.textContent.trim(); }"
        )

    def tab_to(name, most=25):
        for _ in range(most):
            if name in focused():
                return
            keyboard.press("Tab")
        raise AssertionError(f"{name!r} cannot be reached; the focus is on {focused()!r}")

    tab_to("Notifications, 2 new")
    keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(items(page)).to_have_count(2)
    tab_to("Mark as read")
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Mark as unread")).to_have_count(1)
    # Where the pressed one was, its opposite has the focus now.
    assert focused() == "Mark as unread"
    tab_to("Archive")
    keyboard.press("Enter")
    expect(items(page)).to_have_count(1)
    # What had the focus is gone; it is still in the list.
    assert page.evaluate("document.activeElement.localName") == "notification-center"
    keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert focused().startswith("Notifications")
    assert Notification.objects.exclude(archived_at=None).count() == 1


def test_open_and_closed_are_told(visit, alice, deliver):
    page = visit(alice).new_page()
    page.goto("/host/")

    expect(bell(page)).to_have_attribute("aria-expanded", "false")
    expect(bell(page)).to_have_attribute("aria-haspopup", "dialog")
    bell(page).click()
    expect(bell(page)).to_have_attribute("aria-expanded", "true")
    page.get_by_role("heading", name="Host page").click()
    expect(bell(page)).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("path", ["/host/", "/notifications/", "/notifications/preferences/"])
def test_a_screen_of_320_pixels_is_enough(visit, alice, deliver, path):
    deliver(alice, "A title that is longer than any telephone is wide, and then some more of it", body="x" * 300)
    page = visit(alice, viewport={"width": 320, "height": 640}).new_page()
    page.goto(path)
    if path == "/host/":
        bell(page).click()
        expect(items(page)).to_have_count(1)
        box = page.get_by_role("dialog").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_without_javascript_the_bell_is_a_link(visit, alice, deliver):
    page = visit(alice, java_script_enabled=False).new_page()
    page.goto("/host/")

    page.get_by_role("link", name="Notifications").click()
    page.wait_for_url("**/notifications/")


def test_right_to_left_it_opens_on_the_other_side(visit, alice, deliver):
    deliver(alice, "One")
    page = visit(alice).new_page()
    page.goto("/host/")
    page.evaluate("document.documentElement.dir = 'rtl'")
    bell(page).click()

    box = page.get_by_role("dialog").bounding_box()
    viewport = page.viewport_size["width"]
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport
    assert abs(box["x"] + box["width"] / 2 - viewport) < viewport / 2
