"""What the editor asks while somebody writes: who may, what comes back, and that nothing is saved."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

from notifications.admin import previewing
from notifications.models import Delivery
from notifications.services import templates

EMAIL = ("email", "")


@pytest.fixture(autouse=True)
def nobody_asked():
    previewing._asked.clear()


@pytest.fixture
def ask(draft, fill, address):
    """Return a function that asks for a preview (or "test") of the wording of a channel, as changed."""

    def ask(client, changes=None, what="preview", number=None, **more):
        rows = list(draft.contents.order_by("pk"))
        number = next(at for at, row in enumerate(rows) if row.channel == "email") if number is None else number
        data = {**fill(draft, changes), "content": f"contents-{number}", "fragment": "1", **more}
        return client.post(address("templateversion", what, draft.pk), data)

    return ask


def test_what_is_written_is_shown_and_not_saved(admin_client, draft, ask):
    before = list(draft.contents.values())

    page = ask(admin_client, {EMAIL: {"title": "News of {{ order_number }}", "html": "<p>Fresh.</p>"}})

    assert "News of ORD-1" in page.text
    assert "Fresh." in page.text
    assert "<p>Fresh." not in page.text
    assert 'sandbox srcdoc="' in page.text
    assert list(draft.contents.values()) == before


def test_script_in_a_wording_never_reaches_the_page(admin_client, ask):
    page = ask(admin_client, {EMAIL: {"title": "<script>alert(1)</script>", "html": "<script>alert(1)</script>"}})

    assert "<script" not in page.text
    assert 'data-field="html"' in page.text


def test_without_a_script_it_is_a_page_of_its_own(admin_client, ask):
    page = ask(admin_client, fragment="")

    assert "<html" in page.text
    assert "Your order ORD-1" in page.text


def test_a_new_wording_is_shown_before_it_is_saved(admin_client, ask):
    page = ask(admin_client, {("sms", "de"): {"body": "Bestellung {{ order_number }}"}}, number=4)

    assert "Bestellung ORD-1" in page.text


def test_a_test_is_sent_to_whoever_asks(admin_client, admin_user, ask):
    page = ask(admin_client, {EMAIL: {"body": "Not saved yet."}}, what="test")

    assert "Test sent." in page.text
    (message,) = mail.outbox
    assert message.to == [admin_user.email]
    assert "Not saved yet." in message.body
    assert str(Delivery.objects.get().pk) in page.text


def test_no_test_is_sent_of_what_is_wrong(admin_client, ask):
    page = ask(admin_client, {EMAIL: {"body": "{{ gone }}"}}, what="test")

    assert "mend the errors first" in page.text
    assert not mail.outbox


def test_what_is_published_is_tested_as_it_is(admin_client, template, address):
    row = template.live_version.contents.get(channel="email")
    data = {"content": "contents-0", "contents-0-id": row.pk, "contents-0-body": "Forged."}

    admin_client.post(address("templateversion", "test", template.live_version_id), data)

    (message,) = mail.outbox
    assert "Forged." not in message.body


def test_looking_changes_nothing(admin_client, draft, address):
    assert admin_client.get(address("templateversion", "preview", draft.pk)).status_code == 405
    assert admin_client.get(address("templateversion", "test", draft.pk)).status_code == 405


def test_who_may_look_sees_and_sends_nothing(log_in, ask):
    client = log_in("view_templateversion")

    assert ask(client).status_code == 200
    assert ask(client, what="test").status_code == 403
    assert not mail.outbox


def test_who_may_do_neither_gets_neither(log_in, ask):
    client = log_in("view_delivery")

    assert [ask(client, what=what).status_code for what in ("preview", "test")] == [403, 403]


def test_a_forged_request_is_refused(draft, address, admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    assert client.post(address("templateversion", "test", draft.pk), {"content": "contents-0"}).status_code == 403


def test_who_asks_too_often_waits(admin_client, ask, monkeypatch):
    monkeypatch.setattr(previewing, "TESTS", 1)

    answers = [ask(admin_client, what="test").status_code for _ in range(2)]

    assert answers == [200, 429]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"content": "x"},
        {"content": "contents-0", "contents-0-channel": "fax"},
        {"content": "contents-0", "contents-0-channel": "sms", "contents-0-locale": "!"},
        {"content": "contents-0", "contents-0-id": "9" * 30},
    ],
    ids=str,
)
def test_garbage_is_not_found(admin_client, draft, address, data):
    assert admin_client.post(address("templateversion", "preview", draft.pk), data).status_code == 404


def test_a_version_that_is_not_there_is_not_found(admin_client, db, address):
    for pk in ("999999", "x", "9" * 30):
        assert (
            admin_client.post(address("templateversion", "preview", pk), {"content": "contents-0"}).status_code == 404
        )


def test_the_wording_of_another_version_is_not_shown(admin_client, template, draft, address):
    foreign = template.live_version.contents.get(channel="email")

    answer = admin_client.post(
        address("templateversion", "preview", draft.pk), {"content": "contents-0", "contents-0-id": foreign.pk}
    )

    assert answer.status_code == 404


def test_saving_tells_of_variables_that_no_wording_uses(admin_client, template, admin_user, address, fill):
    template.variables["total"] = {"sample": "1", "required": False}
    template.save()
    draft = templates.draft_of(template, user=admin_user)

    page = admin_client.post(address("templateversion", "change", draft.pk), fill(draft), follow=True)

    assert "No wording uses the variable total." in page.text
