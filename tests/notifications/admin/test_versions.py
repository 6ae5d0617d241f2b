"""Versions are listed, compared, published once seen, and rolled back; what is under way keeps the one it has."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.test import Client
from django.utils import timezone

from notifications.models import Delivery, Template, TemplateContent, TemplateVersion
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import statistics, templates, versions
from notifications.types import Priority
from tests.factories import CONTENTS, make_template, publish_version

CODE = "ORDER_CREATED"
EMAIL = ("email", "")


@pytest.fixture
def publisher(db, django_user_model):
    """Return a client of somebody who may see templates, and publish."""
    content_type = ContentType.objects.get_for_model(TemplateVersion)
    Permission.objects.get_or_create(
        content_type=content_type, codename="publish_templateversion", defaults={"name": "p"}
    )
    staff = django_user_model.objects.create_user("publisher", is_staff=True)
    codenames = ["view_template", "view_templateversion", "publish_templateversion"]
    staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def second(template):
    """A second version, live: the first one is what is rolled back to."""
    return publish_version(
        template, {**CONTENTS, EMAIL: {"title": "New subject", "body": "Hello {{ recipient_name }}."}}
    )


def seen_on(page):
    (seen,) = re.findall(r'name="seen" value="(\w+)"', page.text)
    return seen


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def plan(recipient):
    published = publish_notification(CODE, recipient=recipient, variables={"order_number": "ORD-1"}, channels=["email"])
    dispatch_batch(Priority.LOW, more=lambda: None)
    return Delivery.objects.get(event_id=published.id)


def test_the_confirmation_shows_what_would_change_and_then_it_is_live(publisher, template, draft, address):
    draft.contents.filter(channel="email").update(body="Hello {{ recipient_name }}, we sent it.")
    draft.contents.filter(channel="sms").delete()
    here = address("template", "publish", CODE)

    page = publisher.get(here)
    answer = publisher.post(here, {"seen": seen_on(page)}, follow=True)

    assert "<del>have</del>" in page.text
    assert "<ins>sent</ins>" in page.text
    assert "Text message, any language only in the older" in text_of(page)
    assert "no more <" not in page.text
    assert "Unchanged: in-app, any language · in-app, de" in text_of(page)
    assert "ORDER_CREATED v2 is live." in answer.text
    template.refresh_from_db()
    assert template.live_version == draft
    entry = LogEntry.objects.get(object_id=CODE)
    assert (str(entry.user), entry.change_message) == ("publisher", "Published v2.")


def test_what_was_changed_after_it_was_seen_is_shown_again_not_published(publisher, template, draft, address):
    here = address("template", "publish", CODE)
    seen = seen_on(publisher.get(here))
    draft.contents.filter(channel="email").update(body="Slipped in.")

    page = publisher.post(here, {"seen": seen})

    assert "Somebody changed it meanwhile" in page.text
    assert "Slipped in." in page.text
    template.refresh_from_db()
    assert template.live_version.number == 1


def test_looking_at_the_confirmation_publishes_nothing(publisher, template, draft, address):
    publisher.get(address("template", "publish", CODE), {"seen": versions.fingerprint(draft, template.live_version_id)})

    template.refresh_from_db()
    assert template.live_version.number == 1


def test_a_draft_that_is_wrong_is_not_published(publisher, template, draft, address):
    draft.contents.filter(channel="email").update(body="{{ gone }}")
    here = address("template", "publish", CODE)

    page = publisher.get(here)
    publisher.post(here, {"seen": seen_on(page)})

    assert "E-mail, any language: Line 1: The template declares no variable &#x27;gone&#x27;" in page.text
    assert "Publish v2" not in page.text
    template.refresh_from_db()
    assert template.live_version.number == 1


def test_the_first_version_is_published_against_nothing(admin_client, template, address):
    new = Template.objects.create(code="NEW_ONE", category_id="orders", name="New")
    version = TemplateVersion.objects.create(template=new, number=1)
    TemplateContent.objects.create(version=version, channel="sms", body="Hello.")

    page = admin_client.get(address("template", "publish", "NEW_ONE"))

    assert "It is the first." in page.text
    assert "Hello." in page.text


def test_without_a_draft_there_is_nothing_to_publish(admin_client, template, address):
    answer = admin_client.get(address("template", "publish", CODE), follow=True)

    assert "There is no draft to publish." in answer.text


def test_one_click_makes_an_older_version_live_again(publisher, template, second, address, live):
    page = publisher.get(address("template", "versions", CODE))
    (action,) = re.findall(r'action="([^"]+/roll-back/1/)"', page.text)

    answer = publisher.post(action, follow=True)

    assert "Make v1 live again" in page.text
    assert "Make v2 live again" not in page.text
    assert "ORDER_CREATED v1 is live again." in answer.text
    assert "Make v2 live again" in answer.text
    assert "we have it" in live(template)[EMAIL]
    entry = LogEntry.objects.get(object_id=CODE)
    assert (str(entry.user), entry.change_message) == ("publisher", "Rolled back from v2 to v1.")


def test_following_the_address_of_a_roll_back_changes_nothing(publisher, template, second, address):
    answer = publisher.get(address("template", "roll_back", CODE, 1))

    assert answer.url == address("template", "versions", CODE)
    template.refresh_from_db()
    assert template.live_version == second


@pytest.mark.parametrize("number", [2, 3, 9], ids=["live", "draft", "none"])
def test_only_what_was_live_becomes_live_again(publisher, admin_user, template, second, address, number):
    templates.draft_of(template, user=admin_user)

    answer = publisher.post(address("template", "roll_back", CODE, number), follow=True)

    assert "it cannot be made live again" in answer.text
    template.refresh_from_db()
    assert template.live_version == second


def test_words_that_need_a_variable_that_is_gone_do_not_become_live_again(publisher, template, second, address):
    third = publish_version(template, {EMAIL: {"title": "x", "body": "x"}})
    del template.variables["order_number"]
    template.save()

    answer = publisher.post(address("template", "roll_back", CODE, 1), follow=True)

    assert "declares no variable &#x27;order_number&#x27;" in answer.text
    template.refresh_from_db()
    assert template.live_version == third


def test_what_is_under_way_keeps_its_version_through_publishing_and_rolling_back(
    admin_client, admin_user, template, draft, address, alice
):
    first = template.live_version
    early = plan(alice)
    draft.contents.filter(channel="email").update(body="Second words.")
    templates.publish(draft, user=admin_user, now=timezone.now())
    late = plan(alice)

    page = admin_client.get(address("template", "versions", CODE))
    admin_client.post(address("template", "roll_back", CODE, 1))
    last = plan(alice)
    deliver_batch("email", more=lambda: None)

    waiting = re.findall(r'<td class="n-number">(\d+)</td>', page.text)
    assert waiting == ["1", "1"]
    assert [row.version_id for row in (early, late, last)] == [first.pk, draft.pk, first.pk]
    bodies = [message.body for message in mail.outbox]
    assert ["Second words." in body for body in bodies] == [False, True, False]
    assert "we have it" in bodies[0]
    after = admin_client.get(address("template", "versions", CODE))
    assert re.findall(r'<td class="n-number">(\d+)</td>', after.text) == ["0", "0"]


def test_what_waits_is_counted_up_to_a_limit(admin_client, template, address, alice, monkeypatch):
    monkeypatch.setattr(versions, "MAX_COUNTED", 1)
    plan(alice)
    exactly = versions.waiting(template).is_all
    plan(alice)

    page = admin_client.get(address("template", "versions", CODE))

    assert exactly
    assert "More than 1 wait" in page.text


def test_any_two_versions_are_compared(admin_client, template, second, address):
    here = address("template", "compare", CODE)

    forward = admin_client.get(here, {"old": "1", "new": "2"})
    backward = admin_client.get(here, {"old": "2", "new": "1"})
    same = admin_client.get(here, {"old": "1", "new": "1"})

    assert "<ins>New subject</ins>" in forward.text
    assert "<del>New subject</del>" in backward.text
    assert "The wording is the same." in same.text


def test_the_draft_is_compared_with_what_is_live_unless_said_otherwise(admin_client, template, draft, address):
    draft.contents.filter(channel="sms").update(body="Drafted.")

    page = admin_client.get(address("template", "compare", CODE))

    assert "<ins>Drafted.</ins>" in page.text


def test_words_are_shown_as_text_not_as_html(admin_client, template, address):
    publish_version(template, {EMAIL: {"title": "x", "body": "x", "html": "<b onclick=alert(1)>"}})

    page = admin_client.get(address("template", "compare", CODE), {"old": "1", "new": "2"})

    assert "<b onclick" not in page.text
    assert "&lt;b onclick" in page.text


@pytest.mark.parametrize("wrong", ["9", "x", "-1", "1\x00", "9" * 400])
def test_a_version_that_is_not_there_leads_to_those_that_are(admin_client, template, address, wrong):
    answer = admin_client.get(address("template", "compare", CODE), {"old": wrong}, follow=True)

    assert "There is no such version." in answer.text


@pytest.mark.parametrize("page", ["versions", "compare", "publish"])
def test_a_template_that_is_not_there_leads_to_the_list(admin_client, template, address, page):
    answer = admin_client.get(address("template", page, "NOTHING"))

    assert answer.url == address("template", "changelist")


def test_who_may_not_publish_is_offered_neither_and_refused_both(log_in, template, second, draft_of, address):
    client = log_in("view_template", "change_template", "view_templateversion", "change_templateversion")

    page = client.get(address("template", "versions", CODE))
    answers = [
        client.get(address("template", "publish", CODE)),
        client.post(address("template", "publish", CODE)),
        client.post(address("template", "roll_back", CODE, 1)),
    ]

    assert "live again" not in page.text
    assert "Publish…" not in page.text
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    template.refresh_from_db()
    assert template.live_version == second


@pytest.fixture
def draft_of(template, admin_user):
    return templates.draft_of(template, user=admin_user)


@pytest.mark.parametrize("page", ["versions", "compare", "publish", "coverage"])
def test_who_may_see_nothing_sees_nothing(log_in, template, address, page):
    client = log_in("view_category")
    arguments = [] if page == "coverage" else [CODE]

    assert client.get(address("template", page, *arguments)).status_code == 403


def test_the_languages_say_who_falls_back_to_what(admin_client, template, address, settings):
    settings.LANGUAGES = [("en", "English"), ("de-AT", "Austrian"), ("fr", "French")]

    rows = admin_client.get(address("template", "coverage"))
    in_the_list = admin_client.get(address("template", "changelist"))

    assert (
        re.sub(r" +", " ", text_of(rows)).count("In-app ✓ any language → falls back to de → falls back to any language")
        == 1
    )
    assert "5 of 9" not in in_the_list.text
    assert "4 of 9" in in_the_list.text
    assert "e-mail, de-AT → any language" in in_the_list.text


def test_the_list_says_who_wrote_last_and_how_it_went(admin_client, admin_user, template, draft, address, monkeypatch):
    volumes = {CODE: statistics.Volume(sent=1940, failed=60, withheld=5)}
    monkeypatch.setattr(statistics, "of_templates", lambda codes, days: volumes)
    before = text_of(admin_client.get(address("template", "changelist")))
    templates.note_edit(draft, user=admin_user, now=timezone.now() + timedelta(days=400))

    page = text_of(admin_client.get(address("template", "changelist")))

    assert f"{timezone.now() + timedelta(days=400):%Y-%m-%d}" in page
    assert f"{timezone.now() + timedelta(days=400):%Y-%m-%d}" not in before
    assert "1,940 sent 3.0 % failed" in page


def test_saving_a_draft_notes_who_did_it(client, django_user_model, draft, address, fill):
    other = django_user_model.objects.create_superuser("other")
    client.force_login(other)
    here = address("templateversion", "change", draft.pk)

    client.post(here, fill(draft))
    draft.refresh_from_db()
    untouched = draft.edited_by
    client.post(here, fill(draft, {("sms", ""): {"body": "Changed."}}))
    draft.refresh_from_db()

    assert untouched is None
    assert draft.edited_by == other


@pytest.mark.parametrize("page", ["coverage", "changelist"])
def test_more_templates_are_not_more_queries(admin_client, template, address, django_assert_num_queries, page):
    here = address("template", page)
    with django_assert_num_queries(9 if page == "changelist" else 6) as before:
        admin_client.get(here)
    for number in range(5):
        make_template(f"OTHER_{number}", category=f"category-{number}")

    with django_assert_num_queries(len(before)):
        admin_client.get(here)
