"""The admin for everybody: what the browser says about its pages."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import expect

from tests.staff_pages import make_everything, pages, path_of

pytestmark = pytest.mark.browser

#: Answers that are no page, and pages that would log us out.
NOT_SHOWN = {
    "notifications_dashboard",
    "logout",
    "login",
    "jsi18n",
    "autocomplete",
    "search",
    "edit_wording",
    "view_on_site",
}


@pytest.fixture
def boss(transactional_db, settings, django_user_model):
    """Somebody who may do everything, with a password that the site itself can check."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    return django_user_model.objects.create_superuser("boss", password="password")


def test_staff_log_in_and_see_a_page_without_a_single_complaint(chromium, address, boss):
    context = chromium.new_context(base_url=address)
    page = context.new_page()
    context.set_default_timeout(5000)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto("/admin/")
    page.get_by_label("Username").fill("boss")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()
    page.locator("#nav-sidebar-apps").get_by_role("link", name="Templates").click()

    expect(page.locator("html")).to_have_attribute("x-data", "theme()")
    expect(page.get_by_role("link", name="Deliveries").first).to_be_visible()
    expect(page.locator("#nav-sidebar-apps")).to_be_visible()
    assert said == []
    context.close()


@pytest.fixture
def shown(boss, alice):
    """Where there is something to see: each model's list, row and history, the forms there are, and pages of our own."""
    rows = make_everything(boss, alice)
    client = Client()
    client.force_login(boss)
    paths = {path_of(page, rows) for page in pages() if page.view not in NOT_SHOWN}
    # Not the forms that nobody may fill, nor what is only a button.
    return [path for path in sorted(paths) if client.get(path).status_code == 200]


def wrongs(page):
    """Return what axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        (rule["id"], [node["html"][:120] for node in rule["nodes"]][:2])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]


def watched(context):
    """Return a page, and what its console says."""
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return page, said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(visit, boss, shown, scheme):
    page, said = watched(visit(boss, color_scheme=scheme))
    found = {}
    for path in shown:
        assert page.goto(path).status == 200, path
        if wrong := wrongs(page):
            found[path] = wrong

    assert found == {}
    assert said == []


def test_on_a_phone_no_page_is_wider_than_the_screen(visit, boss, shown):
    page, _ = watched(visit(boss, viewport={"width": 360, "height": 720}))
    wide = {}
    for path in shown:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide[path] = width

    assert wide == {}


def test_by_keyboard_one_finds_a_delivery_and_opens_it(visit, boss, shown):
    page, _ = watched(visit(boss))
    page.goto("/admin/notifications/delivery/")

    page.locator("#find-box").focus()
    page.keyboard.type("alice")
    page.keyboard.press("Enter")
    page.wait_for_url("**/timeline/**")
    row = page.locator(".log-ways").first.get_by_role("link", name="e-mail")
    for _ in range(80):
        page.keyboard.press("Tab")
        if row.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")

    page.wait_for_url("**/change/**")
