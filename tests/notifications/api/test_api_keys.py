"""Who may publish: keys, what they are for, and how much each may ask."""

from __future__ import annotations

import re
import sys

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.views.debug import ExceptionReporter
from rest_framework.request import Request

from notifications.api.api_keys import ApiKeyAuthentication
from notifications.models import ApiKey, Event
from notifications.services import api_keys, inbox
from notifications.testing.work import Work
from tests.notifications.api.asking import NOBODY, SAID, URL, bearer, outcome, publish


def dead_keys(make_key):
    revoked, expired = make_key("revoked"), make_key("expired")
    ApiKey.objects.filter(pk=revoked.key.pk).update(revoked_at=timezone.now())
    ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=timezone.now())
    right = make_key("right").text
    return {
        "revoked": revoked.text, "expired": expired.text, "wrong secret": right[:-1] + "!", "unknown": f"ntf_{'0' * 12}_x",
        "garbage": "x y z", "nothing": "", "not ASCII": "ñtf_", "huge": "ntf_" + "a" * 5000,
    }  # fmt: skip


def test_every_key_that_opens_nothing_gets_the_same_answer(client, make_key, template, alice):
    answers = {
        name: publish(client, key, {**SAID, "recipients": [alice.pk]}) for name, key in dead_keys(make_key).items()
    }

    assert {answer.status_code for answer in answers.values()} == {401}
    assert {answer["WWW-Authenticate"] for answer in answers.values()} == {"Bearer"}
    assert len({answer.content for answer in answers.values()}) == 1
    body = answers["revoked"].json()
    assert (body["code"], body["status"]) == ("authentication_failed", 401)
    assert not Event.objects.exists()


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "ntf_a_b", "Token ntf_a_b"])
def test_without_a_key_it_is_401_whoever_is_logged_in(browser, template, alice, header):
    headers = {} if header is None else {"Authorization": header}

    answer = browser.post(
        f"{URL}publish/", {**SAID, "recipients": [alice.pk]}, content_type="application/json", headers=headers
    )

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert not Event.objects.exists()


def test_a_key_opens_no_inbox(client, billing, alice):
    assert client.get(URL, headers=bearer(billing)).status_code == 403


def test_no_csrf_token_is_wanted_and_no_session_is_read(csrf_client, billing, alice):
    csrf_client.force_login(alice)

    def refuse(execute, sql, params, many, context):
        assert "django_session" not in sql
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert publish(csrf_client, billing, {**SAID, "recipients": [alice.pk]}).status_code == 202


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_name_of_the_scheme_may_be_in_any_case(client, billing, scheme):
    headers = {"Authorization": f"{scheme} {billing}"}

    assert client.get(f"{URL}publish/{NOBODY}/", headers=headers).status_code == 404


def test_a_revoked_key_leaves_what_it_published_on_its_way(client, billing, alice):
    publish(client, billing, {**SAID, "recipients": [alice.pk]})
    api_keys.revoke(ApiKey.objects.all(), now=timezone.now())

    Work().run()

    assert inbox.of(alice).count() == 1


def test_a_key_that_asks_too_much_is_told_when_to_come_back(client, billing, stock, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "API_RATES": {"publish": "2/min"}}

    answers = [outcome(client, billing, NOBODY) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 61
    assert answers[-1].json()["code"] == "throttled"
    assert publish(client, billing, SAID).status_code == 429
    assert outcome(client, stock, NOBODY).status_code == 404


def test_knowing_a_recipient_costs_as_much_as_not_knowing_one(client, billing, alice):
    def statements(recipient):
        with CaptureQueriesContext(connection) as captured:
            assert publish(client, billing, {**SAID, "recipients": [recipient]}).status_code == 202
        # Savepoints have numbers.
        return [re.sub("_x[0-9]+|[0-9]+", "", query["sql"].partition("VALUES")[0]) for query in captured]

    statements(alice.pk)

    known, unknown = statements(alice.pk), statements(alice.pk + 1000)

    assert known == unknown
    assert len(known) <= 5


@pytest.mark.parametrize("recipient", [0, -1, 2**31, -(2**53), 2**53, str(2**62)])
def test_an_id_nobody_can_have_is_refused_or_does_no_harm(client, billing, alice, recipient):
    answer = publish(client, billing, {**SAID, "recipients": [alice.pk, recipient]})

    assert answer.status_code in {202, 400}
    if answer.status_code == 202:
        Work().run()
        event = Event.objects.get()
        assert (event.state, event.unknown_count) == ("dispatched", 1)


def test_ten_thousand_are_taken_and_one_more_is_not(client, billing):
    def published(number):
        return publish(client, billing, {**SAID, "recipients": list(range(1, number + 1))})

    assert published(10_001).status_code == 400
    assert not Event.objects.exists()
    assert published(10_000).json()["recipient_count"] == 10_000


def test_a_crash_report_does_not_show_the_key(billing, rf):
    """What Django mails to the administrators holds every local variable but these, and the request's headers."""
    request = rf.get("/", headers=bearer(billing))

    def fail(execute, sql, params, many, context):
        message = "the database is gone"
        raise OSError(message)

    with connection.execute_wrapper(fail):
        try:
            ApiKeyAuthentication().authenticate(Request(request))
        except OSError:
            reporter = ExceptionReporter(request, *sys.exc_info())
    data = reporter.get_traceback_data()

    ours = [
        frame for frame in data["frames"] if "/notifications/" in frame["filename"] and "tests" not in frame["filename"]
    ]
    assert [frame["function"] for frame in ours] == ["authenticate", "authenticate"]
    secret = billing.rpartition("_")[2]
    assert not any(secret in str(frame["vars"]) for frame in ours)
    assert secret not in str(data["request_meta"])
