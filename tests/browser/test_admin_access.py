"""The admin for everybody: what the browser says about its pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


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
    page.get_by_role("link", name="Templates", exact=True).first.click()

    expect(page.locator("html")).to_have_attribute("x-data", "theme()")
    expect(page.get_by_role("link", name="Deliveries").first).to_be_visible()
    expect(page.locator("#nav-sidebar-apps")).to_be_visible()
    assert said == []
    context.close()
