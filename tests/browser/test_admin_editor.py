"""The editor of wording: what is written is seen beside it at once, mistakes at their field, and a test in one's mailbox."""

from __future__ import annotations

import os

import pytest
from django.db import connection
from playwright.sync_api import expect

from notifications.models import Delivery, Template
from notifications.services import templates
from tests.browser.test_access import violations
from tests.factories import make_template
from tests.smtp import SmtpServer
from tests.website import running_website

pytestmark = pytest.mark.browser

VARIABLES = {
    "order_number": {"sample": "ORD-10042", "required": True},
    "total": {"sample": "1499.00", "required": True},
    "lines": {
        "sample": [{"name": "Espresso machine", "quantity": 1}, {"name": "Cup", "quantity": 2}],
        "required": True,
    },
}
BODY = """Hello {{ recipient_name }},

thank you for your order {{ order_number }}. You chose:
{% for line in lines %}
  {{ line.quantity }} × {{ line.name }}{% endfor %}

Total: {{ total|floatformat:'2g' }} EUR"""
HTML = """<h1>Thank you!</h1>
<p>Your order <strong>{{ order_number }}</strong> is safe with us.</p>
<ul>{% for line in lines %}<li>{{ line.quantity }} × {{ line.name }}</li>{% endfor %}</ul>
<p><a href="{% action_url %}">See your order</a></p>"""
WORDS = {
    ("email", ""): {"title": "Your order {{ order_number }}: thank you!", "body": BODY, "html": HTML},
    ("email", "de"): {"title": "Ihre Bestellung {{ order_number }}", "body": "Danke!"},
    ("in_app", ""): {"title": "Order {{ order_number }} received", "body": "Thank you! It comes to {{ total }} EUR."},
    ("sms", ""): {"body": "Order {{ order_number }} received. Thank you!"},
    ("web_push", ""): {"title": "Order {{ order_number }}", "body": "We have it. " * 20},
}


@pytest.fixture
def mailbox():
    with SmtpServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMAIL_URL", server.url)
        yield server.mailbox


@pytest.fixture
def address(transactional_db, mailbox):
    """Where a site answers whose e-mails go to our mailbox; each test's own: it remembers the ids of content types."""
    with running_website(f"sqlite:///{connection.settings_dict['NAME']}") as url:
        yield url


@pytest.fixture
def boss(transactional_db, django_user_model):
    return django_user_model.objects.create_superuser("boss", "boss@example.com", first_name="Robin")


@pytest.fixture
def draft(boss):
    template = make_template("ORDER_CREATED", contents=WORDS, variables=VARIABLES)
    return templates.draft_of(template, user=boss)


@pytest.fixture
def edit(visit, boss, draft):
    """Return a function that opens the draft, and returns the page; nothing may have been complained of."""
    complaints = []

    def edit(**options):
        page = visit(boss, **options).new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"/admin/notifications/templateversion/{draft.pk}/change/")
        return page

    yield edit
    assert complaints == []


def tab(page, name):
    return page.get_by_role("navigation", name="Wording").get_by_role("link", name=name)


def wording(page, number):
    return page.locator(f"#contents-{number}")


def write(page, number, field, text):
    """Replace a text in the editor as somebody does: with the keyboard."""
    wording(page, number).locator(f".field-{field} .ace_content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def shot(page, name):
    if folder := os.environ.get("SHOTS"):
        page.wait_for_timeout(400)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_what_is_written_is_seen_and_a_mistake_is_said_at_its_field(edit, draft):
    page = edit()
    email = wording(page, 0)
    mail = email.frame_locator(".mail-light")

    expect(mail.get_by_text("ORD-10042", exact=True)).to_be_visible()
    expect(mail.get_by_role("link", name="Unsubscribe")).to_be_visible()
    shot(page, "editor")

    write(page, 0, "html", "<p>Quite other words for {{ order_number }}.</p>")
    expect(mail.get_by_text("Quite other words for ORD-10042.")).to_be_visible()

    write(page, 0, "html", "<p>One</p>\n<p>{{ order_numbr }}</p>")
    problem = email.locator(".field-html [data-problems]")
    expect(problem).to_contain_text(
        "Line 2: The template declares no variable 'order_numbr' (did you mean 'order_number'?)."
    )
    expect(email.locator(".field-html .ace_gutter-cell.ace_error")).to_have_text("2")
    shot(page, "error")
    page.get_by_role("button", name="Save draft").click()
    expect(wording(page, 0).locator(".errorlist")).to_contain_text("Line 2")
    assert draft.contents.get(channel="email", locale="").html == HTML

    write(page, 0, "html", "<p>Mended: {{ order_number }}</p>")
    expect(problem).to_be_empty()
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    assert draft.contents.get(channel="email", locale="").html == "<p>Mended: {{ order_number }}</p>"


def test_each_channel_is_seen_as_it_looks(edit):
    page = edit()

    tab(page, "Text message").click()
    expect(wording(page, 3).locator(".counts")).to_contain_text("GSM-7")
    write(page, 3, "body", "Order ✓ " + "x" * 100)
    expect(wording(page, 3).locator(".counts")).to_contain_text("2 parts · 108/134 · UCS-2")
    shot(page, "sms")
    tab(page, "push").click()
    expect(wording(page, 4).locator(".card-push")).to_contain_text("Order ORD-10042")
    shot(page, "push")
    tab(page, "n-app").click()
    expect(wording(page, 2).locator(".card-inbox")).to_contain_text("Thank you! It comes to 1499.00 EUR.")
    shot(page, "inbox")
    tab(page, "mail · any").click()
    email = wording(page, 0)
    email.get_by_text("Dark", exact=True).click()
    expect(email.locator(".mail-dark")).to_be_visible()
    shot(page, "dark")
    email.get_by_text("Phone", exact=True).click()
    shot(page, "phone")
    email.get_by_text("Plain text", exact=True).click()
    expect(email.locator(".mail-text")).to_contain_text("1 × Espresso machine")


def test_a_test_arrives_in_ones_own_mailbox_and_counts_nowhere(edit, mailbox, boss):
    page = edit()

    wording(page, 0).get_by_role("button", name="Send a test to me").click()

    expect(wording(page, 0).locator(".test-result")).to_contain_text("Test sent.")
    shot(page, "test")
    (message,) = [one for one in mailbox.messages if one["X-Rcpt"] == "boss@example.com"]
    assert message["Subject"] == "[Test] Your order ORD-10042: thank you!"
    assert Delivery.objects.get().is_test
    assert Template.objects.filter(live_version__number=1).exists()


def test_a_wording_is_added_and_seen_before_it_is_saved(edit, draft):
    page = edit()

    page.get_by_role("link", name="Channel or language").click()
    added = wording(page, 5)
    added.get_by_label("Channel").select_option("sms")
    added.get_by_label("Language").fill("de")
    write(page, 5, "body", "Bestellung {{ order_number }} ist da.")
    expect(added.locator(".bubble")).to_have_text("Bestellung ORD-10042 ist da.")
    page.get_by_role("button", name="Save draft").click()

    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    assert draft.contents.get(channel="sms", locale="de").body == "Bestellung {{ order_number }} ist da."


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_editor(edit, scheme):
    page = edit(color_scheme=scheme)
    expect(wording(page, 0).locator(".look")).to_be_visible()

    shot(page, f"axe-{scheme}")
    assert violations(page, ".wordings") == []


def test_on_a_phone_in_german(edit):
    page = edit(viewport={"width": 390, "height": 844}, locale="de-DE", color_scheme="dark")

    expect(wording(page, 0).locator(".look")).to_be_visible()
    expect(wording(page, 0).get_by_role("button", name="Test an mich senden")).to_be_visible()
    wording(page, 0).locator(".look").scroll_into_view_if_needed()
    shot(page, "phone-de")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
