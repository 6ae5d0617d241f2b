"""What browsers are told they may run: little on the site, a bit more in the admin, never a script in the page."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.content_policy import ADMIN, HEADER, STRICT, ContentPolicyMiddleware

pytestmark = pytest.mark.django_db


def test_the_admin_may_do_what_its_look_needs(client, admin_client):
    assert client.get("/admin/login/")[HEADER] == ADMIN
    assert admin_client.get("/admin/")[HEADER] == ADMIN
    assert "script-src 'self' 'unsafe-eval';" in ADMIN


@pytest.mark.parametrize("path", ["/health/live", "/nowhere/", "/n/unsubscribe/x/", "/notifications/"])
def test_everything_else_is_strict(client, path):
    policy = client.get(path)[HEADER]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def passed(answer):
    return ContentPolicyMiddleware(lambda _: answer)(RequestFactory().get("/"))


def test_a_page_may_have_a_policy_of_its_own():
    assert passed(HttpResponse(headers={HEADER: "sandbox"}))[HEADER] == "sandbox"
    assert passed(HttpResponse())[HEADER] == STRICT


@pytest.mark.parametrize(("debug", "has_policy"), [(True, False), (False, True)])
def test_developers_see_djangos_pages_about_errors_as_they_are(settings, debug, has_policy):
    settings.DEBUG = debug

    assert passed(HttpResponse(status=404)).has_header(HEADER) == has_policy
