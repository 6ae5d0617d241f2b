"""Staff change words, see what that changes, publish it, and take it back."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from notifications.models import Template
from notifications.services import templates
from tests.factories import publish_version

pytestmark = pytest.mark.browser

CODE = "ORDER_CREATED"
GRAVE = {"serious", "critical"}


@pytest.fixture
def editor(visit, kind, django_user_model):
    """The browser of somebody who may do it all."""
    return visit(django_user_model.objects.create_superuser("editor"), viewport={"width": 1280, "height": 900})


def live():
    """Return the number of the version that is live."""
    return Template.objects.values_list("live_version__number", flat=True).get(pk=CODE)


def test_words_are_changed_compared_published_and_taken_back(editor, kind):
    page = editor.new_page()
    page.goto(f"/admin/notifications/template/{CODE}/change/")
    page.get_by_role("button", name="Edit wording").first.click()
    title = page.locator("[name$='-title']").first
    title.fill("Order {{ order_number }} is with us")
    page.get_by_role("button", name="Save and publish…").first.click()

    expect(page.get_by_role("heading", name="Publish", exact=True)).to_be_visible()
    expect(page.locator("ins", has_text="is with us").first).to_be_visible()
    assert live() == 1

    page.get_by_role("button", name="Publish v2").click()
    expect(page.get_by_text("ORDER_CREATED v2 is live.")).to_be_visible()
    assert live() == 2

    page.get_by_role("link", name="All versions").first.click()
    page.get_by_role("link", name="Compare with what is live").click()
    expect(page.locator("del, ins").first).to_be_visible()
    page.get_by_role("link", name="All versions").first.click()
    page.get_by_role("button", name="Make v1 live again").press("Enter")
    expect(page.get_by_text("ORDER_CREATED v1 is live again.")).to_be_visible()
    assert live() == 1


def test_two_versions_fit_on_a_phone(visit, kind, django_user_model):
    publish_version(kind, {("email", ""): {"title": "New", "body": "Hello {{ recipient_name }}, it is here.\n\nBye"}})
    context = visit(django_user_model.objects.create_superuser("editor"), viewport={"width": 375, "height": 720})
    page = context.new_page()

    page.goto(f"/admin/notifications/template/{CODE}/compare/?old=1&new=2")

    expect(page.get_by_role("heading", name=re.compile("E-mail"))).to_be_visible()
    for table in page.locator(".diff-table").all():
        box = table.bounding_box()
        assert box["width"] <= 375


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave(visit, kind, django_user_model, scheme):
    boss = django_user_model.objects.create_superuser("editor")
    publish_version(kind, {("email", ""): {"title": "New", "body": "Hello {{ recipient_name }}, it is here."}})
    draft = templates.draft_of(kind, user=boss)
    draft.contents.update(body="Hello {{ recipient_name }}, it has come.")
    page = visit(boss, color_scheme=scheme).new_page()

    for path in (f"{CODE}/versions/", f"{CODE}/compare/", f"{CODE}/publish/", "coverage/"):
        page.goto(f"/admin/notifications/template/{path}")
        expect(page.locator(".page-title")).to_be_visible()
        found = Axe().run(page, context="#main, main, #content").response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in GRAVE] == []
