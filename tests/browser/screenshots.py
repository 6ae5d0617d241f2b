"""
`python -m tests.browser.screenshots`: the pictures of the documentation, from the demo shop with a lively inbox.

Written to docs/images/.
"""

from __future__ import annotations

import re
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.looking import bell, found, items, reach

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "images"
#: Who may do everything in the demo.
BOSS = "admin"
STAFF = {"width": 1440, "height": 900}
#: As far as the charts.
STAFF_TALL = {"width": 1440, "height": 1370}
WIDE, NARROW = {"width": 1180, "height": 780}, {"width": 375, "height": 720}


@contextmanager
def window(browser, address, *, who="alice", **options):
    """Yield a page of the demo with somebody logged in."""
    context = browser.new_context(base_url=address, device_scale_factor=2, locale="en-GB", **options)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name=re.compile(who, re.IGNORECASE)).first.click()
    reach(page, "live")
    yield page
    context.close()


def live_through_a_day(browser, address):
    """Order, pay, and have it shipped, so that the inbox has something to say."""
    with window(browser, address) as page:
        for _ in range(2):
            page.goto("/")
            page.get_by_role("button", name="Place the order").click()
        number = found(r"ORD-\w+", page.url)
        page.get_by_role("button", name=re.compile("Pay", re.IGNORECASE)).first.click()
        context = browser.new_context(base_url=address)
        warehouse = context.new_page()
        warehouse.goto("/")
        warehouse.get_by_role("button", name=re.compile("charlie", re.IGNORECASE)).first.click()
        warehouse.goto(f"/orders/{number}/")
        warehouse.get_by_role("button", name=re.compile("Ship", re.IGNORECASE)).first.click()
        context.close()
        bell(page).click()
        items(page).filter(has_text="on its way").first.wait_for()
        items(page).last.get_by_role("button", name="Mark as read", exact=True).click()
        items(page).last.get_by_role("button", name="Mark as unread").wait_for()


def shoot(page, name):
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)
    page.screenshot(path=FOLDER / f"{name}.png")


def draw(browser, address):
    for scheme in ("light", "dark"):
        with window(browser, address, viewport=WIDE, color_scheme=scheme) as page:
            bell(page).click()
            items(page).first.wait_for()
            shoot(page, f"notification-center-{scheme}")
    with window(browser, address, viewport=NARROW, is_mobile=True, has_touch=True) as page:
        bell(page).click()
        items(page).first.wait_for()
        shoot(page, "notification-center-mobile")
    with window(browser, address, viewport=WIDE) as page:
        bell(page).click()
        page.get_by_role("button", name="Preferences").click()
        page.get_by_role("dialog").get_by_role("combobox").first.wait_for()
        shoot(page, "notification-center-preferences")
        page.goto("/notifications/")
        items(page).first.wait_for()
        shoot(page, "inbox-page")
    with window(browser, address, viewport=WIDE) as page:
        page.goto("/notifications/preferences/")
        shoot(page, "preferences-page")


def draw_admin(browser, address):
    """Look at the pages of staff: their lists lead to what is in the picture."""
    for scheme in ("light", "dark"):
        with window(browser, address, who=BOSS, viewport=STAFF_TALL, color_scheme=scheme) as page:
            page.goto("/admin/")
            shoot(page, f"admin-dashboard-{scheme}")
        with window(browser, address, who=BOSS, viewport=STAFF, color_scheme=scheme) as page:
            page.goto("/admin/notifications/template/")
            shoot(page, f"admin-templates-{scheme}")
            page.goto("/admin/notifications/template/ORDER_CREATED/change/")
            page.get_by_role("button", name=re.compile("Edit wording|Open the draft")).first.click()
            page.wait_for_url("**/templateversion/**")
            shoot(page, f"admin-editor-{scheme}")
            page.goto("/admin/notifications/delivery/find/?q=alice")
            page.wait_for_url("**/timeline/**")
            shoot(page, f"admin-timeline-{scheme}")
            page.locator(".log-ways").first.get_by_role("link", name="e-mail").click()
            page.wait_for_url("**/change/**")
            shoot(page, f"admin-delivery-{scheme}")
    draw_broadcast(browser, address)


def draw_broadcast(browser, address):
    """Tell all customers something, up to the first few."""
    with window(browser, address, who=BOSS, viewport=STAFF) as page:
        page.goto("/admin/notifications/broadcast/compose/")
        page.get_by_label("Template").select_option("ORDER_DELIVERED")
        page.get_by_role("button", name="Begin").click()
        page.get_by_label("order_number").fill("ORD-1042")
        page.get_by_role("button", name="Save, and choose to whom").click()
        page.get_by_label("Audience").select_option("customers")
        page.get_by_role("button", name="Save, and count").click()
        page.get_by_label("Tell so many percent first").fill("50")
        shoot(page, "admin-broadcast-count")
        page.get_by_role("button", name="Start the broadcast").click()
        page.get_by_role("button", name="Tell the rest").wait_for()
        # The workers measure every four seconds.
        page.wait_for_timeout(9000)
        shoot(page, "admin-broadcast-progress")


def main():
    import os

    program = find_chromium()
    if program is None:
        sys.exit(MISSING)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test_settings")
        # What is written here is what the demo shows.
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/demo.sqlite3"
        import django

        django.setup()
        from tests.browser import busy_day
        from tests.demo.conftest import Demo

        demo = Demo(Path(folder))
        demo.open()
        busy_day.write(datetime.now(UTC))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
                live_through_a_day(browser, demo.address)
                draw(browser, demo.address)
                draw_admin(browser, demo.address)
                browser.close()
        finally:
            demo.kill()


if __name__ == "__main__":
    main()
