"""Drafts are edited and published; what is published is never touched."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.utils import timezone

from notifications.models import Delivery, TemplateContent, TemplateVersion
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import templates
from notifications.types import Priority
from tests.factories import CONTENTS, make_template

EMAIL = ("email", "")
SMS = ("sms", "")
IN_APP = ("in_app", "")


def publish_and_dispatch(recipient):
    variables = {"order_number": "ORD-1"}
    published = publish_notification("ORDER_CREATED", recipient=recipient, variables=variables, channels=["email"])
    dispatch_batch(Priority.LOW, more=lambda: None)
    return Delivery.objects.get(event_id=published.id)


def test_edit_mend_publish_while_what_is_under_way_keeps_its_words(admin_client, template, address, fill, alice):
    old = template.live_version
    pending = publish_and_dispatch(alice)

    opened = admin_client.post(address("template", "edit_wording", "ORDER_CREATED"))
    draft = TemplateVersion.objects.get(published_at=None)
    assert opened.url == address("templateversion", "change", draft.pk)

    refused = admin_client.post(opened.url, {**fill(draft, {EMAIL: {"body": "Hi\n{% iff x %}"}}), "_publish": "1"})
    assert "Line 2: Templates have no tag {% iff %} (did you mean &#x27;if&#x27;?)." in refused.text
    template.refresh_from_db()
    assert template.live_version == old

    done = admin_client.post(opened.url, {**fill(draft, {EMAIL: {"body": "New words."}}), "_publish": "1"})
    assert done.url == address("template", "publish", "ORDER_CREATED")
    template.refresh_from_db()
    assert template.live_version == old
    (seen,) = re.findall(r'name="seen" value="(\w+)"', admin_client.get(done.url).text)
    assert admin_client.post(done.url, {"seen": seen}).url == address("template", "change", "ORDER_CREATED")
    template.refresh_from_db()
    assert template.live_version == draft
    assert LogEntry.objects.filter(object_id="ORDER_CREATED", change_message="Published v2.").count() == 1

    later = publish_and_dispatch(alice)
    deliver_batch("email", more=lambda: None)
    pending.refresh_from_db()
    assert (pending.version, later.version) == (old, draft)
    first, second = mail.outbox
    assert "Hello Alice, we have it." in first.body
    assert "New words." in second.body


def test_a_draft_is_a_copy_of_what_is_live_and_there_is_one(admin_client, admin_user, template, address):
    edit = address("template", "edit_wording", "ORDER_CREATED")

    first, second = admin_client.post(edit), admin_client.post(edit)

    assert first.url == second.url
    draft = TemplateVersion.objects.get(published_at=None)
    assert (draft.number, draft.origin, draft.created_by) == (2, "staff", admin_user)
    assert {(row.channel, row.locale) for row in draft.contents.all()} == set(CONTENTS)


def test_opening_the_address_of_the_button_changes_nothing(admin_client, template, address):
    answer = admin_client.get(address("template", "edit_wording", "ORDER_CREATED"))

    assert answer.url == address("template", "change", "ORDER_CREATED")
    assert TemplateVersion.objects.count() == 1


def test_saving_a_draft_leaves_what_is_live_alone(admin_client, template, draft, address, fill, live):
    before = live(template)

    answer = admin_client.post(address("templateversion", "change", draft.pk), fill(draft, {SMS: {"body": "Short."}}))

    assert answer.url == address("templateversion", "change", draft.pk)
    assert draft.contents.get(channel="sms").body == "Short."
    assert live(template) == before


def test_saving_without_a_change_changes_nothing(admin_client, template, draft, address, fill):
    TemplateContent.objects.filter(version=draft, channel="email").update(body="One\nTwo")
    as_browsers_send_it = fill(draft, {EMAIL: {"body": "One\r\nTwo"}})

    admin_client.post(address("templateversion", "change", draft.pk), as_browsers_send_it)

    assert draft.contents.get(channel="email").body == "One\nTwo"
    assert LogEntry.objects.get(object_id=draft.pk).get_change_message() == "No fields changed."


@pytest.mark.parametrize(
    ("where", "texts", "message"),
    [
        pytest.param(EMAIL, {"title": "{{ order_numbr }}"}, "did you mean &#x27;order_number&#x27;?", id="unknown"),
        pytest.param(EMAIL, {"html": "a\n<script>x</script>"}, "Line 2: &lt;script&gt; is not allowed", id="script"),
        pytest.param(EMAIL, {"body": ""}, "This field is required.", id="no text"),
        pytest.param(SMS, {"title": "Hello", "body": "x"}, None, id="hidden field is not read"),
        pytest.param(IN_APP, {"title": ""}, "An inbox item needs a title.", id="in-app without title"),
        pytest.param(("sms", "de"), {"title": "x", "body": "x"}, "A text message has no title", id="sms with title"),
        pytest.param(("sms", "de"), {"body": "x", "html": "x"}, "HTML is for e-mails only", id="sms with html"),
        pytest.param(("sms", "deutsch!"), {"body": "x"}, "Write the language as de or de-AT", id="no language"),
        pytest.param(("fax", ""), {"body": "x"}, "fax is not one of the available choices", id="no channel"),
        pytest.param(("sms", "de"), {"body": "a\x00b"}, "Null characters are not allowed.", id="nul"),
        pytest.param(("sms", "de"), {"body": "{{ a.b }}{% for %}"}, "Line 1: Write {% for", id="broken loop"),
    ],
)
def test_a_mistake_is_said_at_its_field(admin_client, draft, address, fill, where, texts, message):
    before = list(draft.contents.values())

    page = admin_client.post(address("templateversion", "change", draft.pk), fill(draft, {where: texts}))

    if message is None:
        assert draft.contents.get(channel="sms").title == ""
    else:
        assert page.status_code == 200
        assert message in page.text
        assert list(draft.contents.values()) == before


def test_the_same_channel_and_language_twice_is_refused(admin_client, draft, address, fill):
    data = fill(draft, {("sms", "de"): {"body": "x"}, ("sms", "DE"): {"body": "y"}})

    page = admin_client.post(address("templateversion", "change", draft.pk), data)

    assert "This channel has wording in this language already." in page.text
    assert draft.contents.filter(channel="sms").count() == 1


def test_a_wording_somebody_else_added_meanwhile_is_not_added_again(admin_client, draft, address, fill):
    data = fill(draft, {("sms", "de"): {"body": "mine"}})
    TemplateContent.objects.create(version=draft, channel="sms", locale="de", body="theirs")

    page = admin_client.post(address("templateversion", "change", draft.pk), data)

    assert "This channel has wording in this language already." in page.text


def test_a_wording_is_replaced_in_one_step(admin_client, draft, address, fill):
    data = fill(draft, {SMS: None})
    data["contents-TOTAL_FORMS"] += 1
    data |= {"contents-4-version": draft.pk, "contents-4-channel": "sms", "contents-4-body": "New."}

    admin_client.post(address("templateversion", "change", draft.pk), data)

    assert draft.contents.get(channel="sms").body == "New."


def test_a_warning_is_told_and_does_not_stop(admin_client, draft, address, fill):
    page = admin_client.post(
        address("templateversion", "change", draft.pk), fill(draft, {EMAIL: {"title": ""}}), follow=True
    )

    assert "-mail, any language: The e-mail has no subject; write one." in page.text
    assert draft.contents.get(channel="email").title == ""


def test_nothing_cannot_be_published(admin_client, template, draft, address, fill):
    data = fill(draft, dict.fromkeys(CONTENTS))

    page = admin_client.post(address("templateversion", "change", draft.pk), {**data, "_publish": "1"})

    assert "Nothing is written yet" in page.text
    template.refresh_from_db()
    assert template.live_version.number == 1


def test_what_the_form_did_not_show_is_checked_before_publishing(admin_client, template, draft, address, fill):
    data = fill(draft)
    TemplateContent.objects.create(version=draft, channel="sms", locale="de", body="{{ gone }}")

    page = admin_client.post(address("templateversion", "change", draft.pk), {**data, "_publish": "1"}, follow=True)

    assert "ext message, de: Line 1: The template declares no variable &#x27;gone&#x27;." in page.text
    template.refresh_from_db()
    assert template.live_version.number == 1


@pytest.mark.parametrize("data", [{}, {"contents-TOTAL_FORMS": "x"}, "foreign ids", "garbage ids"], ids=str)
def test_a_garbled_form_is_refused(admin_client, draft, address, fill, data):
    if isinstance(data, str):
        wrong = {"foreign ids": draft.template.live_version.contents.first().pk, "garbage ids": "x"}[data]
        data = {**fill(draft, {EMAIL: {"body": "changed"}}), "contents-0-id": wrong}
    before = list(TemplateContent.objects.order_by("pk").values())

    page = admin_client.post(address("templateversion", "change", draft.pk), data)

    assert page.status_code == 200
    assert "Please correct the error" in page.text
    assert list(TemplateContent.objects.order_by("pk").values()) == before


def test_the_editor_shows_the_variables_with_their_samples(admin_client, draft, address):
    page = admin_client.get(address("templateversion", "change", draft.pk))

    for text in ("{{ order_number }}", "&quot;ORD-1&quot;", "{{ recipient_name }}", "|truncatechars", "{% with %}"):
        assert text in page.text


def test_a_published_version_is_shown_and_cannot_be_changed(admin_client, template, address, fill, live):
    version, before = template.live_version, live(template)
    here = address("templateversion", "change", version.pk)

    page = admin_client.get(here)
    answers = [
        admin_client.post(here, fill(version, {EMAIL: {"body": "Changed."}})),
        admin_client.post(here, {**fill(version, {EMAIL: None}), "_publish": "1"}),
        admin_client.post(address("templateversion", "delete", version.pk), {"post": "yes"}),
    ]

    assert "Hello {{ recipient_name }}, we have it." in page.text
    assert 'name="_save"' not in page.text
    assert "<textarea" not in page.text
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert live(template) == before


def test_neither_a_published_template_nor_its_versions_are_deleted(admin_client, template, address):
    selected = {"action": "delete_selected", "_selected_action": "ORDER_CREATED", "post": "yes", "index": "0"}

    answer = admin_client.post(address("template", "delete", "ORDER_CREATED"), {"post": "yes"})
    admin_client.post(address("template", "changelist"), selected)

    assert answer.status_code == 403
    template.refresh_from_db()
    assert template.live_version.contents.count() == len(CONTENTS)


def test_versions_are_not_added_by_hand(admin_client, address):
    assert admin_client.get(address("templateversion", "add")).status_code == 403


def test_a_draft_is_discarded(admin_client, template, draft, address, live):
    before = live(template)

    answer = admin_client.post(address("templateversion", "delete", draft.pk), {"post": "yes"})

    assert answer.url == address("template", "change", "ORDER_CREATED")
    assert not TemplateVersion.objects.filter(pk=draft.pk).exists()
    assert live(template) == before


def test_the_service_refuses_what_is_published(template, admin_user):
    version = template.live_version

    with pytest.raises(templates.NotADraft):
        templates.publish(version, user=admin_user, now=timezone.now())
    with pytest.raises(templates.NotADraft):
        templates.discard(version)


def test_without_the_right_to_change_versions_there_is_no_draft(log_in, template, address):
    client = log_in("view_template", "change_template")

    page = client.get(address("template", "change", "ORDER_CREATED"))
    answer = client.post(address("template", "edit_wording", "ORDER_CREATED"))

    assert "Edit wording" not in page.text
    assert answer.status_code == 403
    assert TemplateVersion.objects.count() == 1


def test_who_may_write_but_not_change_templates_saves_drafts_only(log_in, template, address, fill):
    client = log_in("view_template", "change_templateversion")
    here = client.post(address("template", "edit_wording", "ORDER_CREATED")).url
    draft = TemplateVersion.objects.get(published_at=None)

    page = client.get(here)
    client.post(here, {**fill(draft, {SMS: {"body": "Mine."}}), "_publish": "1"})

    assert "Save and publish" not in page.text
    assert draft.contents.get(channel="sms").body == "Mine."
    template.refresh_from_db()
    assert template.live_version.number == 1


def test_who_may_only_look_sees_the_draft_and_cannot_save_it(log_in, draft, address, fill):
    client = log_in("view_templateversion")
    here = address("templateversion", "change", draft.pk)

    assert 'name="_save"' not in client.get(here).text
    assert client.post(here, fill(draft, {SMS: {"body": "Mine."}})).status_code == 403


def test_the_list_of_versions_does_not_read_more_for_more_rows(
    admin_client, template, address, django_assert_max_num_queries
):
    for number in range(2, 12):
        version = TemplateVersion.objects.create(template=template, number=number, published_at=timezone.now())
        TemplateContent.objects.create(version=version, channel="sms", body="x")
    make_template("OTHER")

    with django_assert_max_num_queries(7):
        page = admin_client.get(address("templateversion", "changelist"))

    assert "ORDER_CREATED v11" in page.text
