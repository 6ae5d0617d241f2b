"""The menu leads only where one may go."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from notifications.admin import sidebar


def lines(user):
    request = RequestFactory().get("/")
    request.user = user
    return [str(line["title"]) for section in sidebar.navigation(request) for line in section["items"]]


def test_every_line_leads_somewhere(admin_client, admin_user):
    request = RequestFactory().get("/")
    request.user = admin_user
    links = [line["link"] for section in sidebar.navigation(request) for line in section["items"]]

    assert len(links) == sum(len(section) for _, section in sidebar.SECTIONS)
    assert {admin_client.get(link).status_code for link in links} == {200}


@pytest.mark.django_db
@pytest.mark.parametrize("codename", ["view_template", "change_template"])
def test_it_shows_what_one_may_see(log_in, django_user_model, codename):
    log_in(codename)

    assert lines(django_user_model.objects.get()) == ["Templates", "Languages"]
    assert lines(AnonymousUser()) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/admin/", "Dashboard"),
        ("/admin/notifications/pause/1/resume/", "Pauses and breakers"),
        ("/admin/notifications/pause/failures/again/", "Failures by cause"),
        ("/admin/notifications/templateversion/1/change/", "Templates"),
    ],
    ids=["first page", "page of a model", "page below another", "page without a line"],
)
def test_one_line_is_where_one_is(admin_user, path, title):
    request = RequestFactory().get(path)
    request.user = admin_user

    items = [line for section in sidebar.navigation(request) for line in section["items"]]

    assert [line["title"] for line in items if line["active"]] == [title]
