"""Two people, every address, every method, with each other's ids: 404, and nothing is written."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from notifications.models import Notification
from tests.notifications.api.asking import described

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
#: What a method may answer for an id that is not mine: not there, or no such method, or a wrong body.
REFUSED = {404, 405}


def addresses(client):
    """Return every address of the API that has somebody's id in it, from its own description."""
    return [path for path in described(client, "session") if "{id}" in path]


@pytest.fixture
def rows(item):
    return list(Notification.objects.values())


@pytest.mark.parametrize("method", METHODS)
def test_a_stranger_with_my_id_gets_nothing_and_writes_nothing(client, charlie, item, rows, method):
    client.force_login(charlie)
    paths = addresses(client)
    assert len(paths) >= 3

    for path in paths:
        url = path.replace("{id}", str(item.pk)).replace("{name}", "confirm")
        body = json.dumps({"read": True}) if method in {"post", "put", "patch"} else ""
        answer = client.generic(method.upper(), url, body, content_type="application/json")

        if method != "options":
            assert answer.status_code in REFUSED, (method, url)
        assert item.title.encode() not in answer.content
    assert list(Notification.objects.values()) == rows


@pytest.mark.parametrize("method", METHODS)
def test_without_a_session_nothing_is_there_at_all(client, item, rows, method):
    for path in addresses(client):
        url = path.replace("{id}", str(item.pk)).replace("{name}", "confirm")

        assert client.generic(method.upper(), url).status_code in {403, 404, 405}
    assert list(Notification.objects.values()) == rows


def test_every_route_that_writes_wants_the_csrf_token(alice, item, rows, csrf_client):
    csrf_client.force_login(alice)
    paths = described(csrf_client, "session")
    writing = [(method, path) for path, methods in paths.items() for method in methods if method != "get"]
    assert len(writing) >= 4

    for method, path in writing:
        url = path.replace("{id}", str(item.pk)).replace("{name}", "confirm")
        answer = csrf_client.generic(method.upper(), url, "{}", content_type="application/json")

        assert answer.status_code == 403, (method, url)
        assert "CSRF" in answer.json()["detail"]
    assert list(Notification.objects.values()) == rows


def test_the_description_names_every_route(tmp_path):
    """Or the tests above would miss one."""
    from django.urls import get_resolver

    described = tmp_path / "schema.yml"
    call_command("spectacular", file=str(described))
    text = described.read_text()
    names = {name for name in get_resolver("notifications.api.urls").reverse_dict if isinstance(name, str)}

    assert names >= {"notification-list", "notification-detail", "notification-mark"}
    for name in names - {"schema", "docs"}:
        ((route, _), *_), *_ = get_resolver("notifications.api.urls").reverse_dict.getlist(name)[0]
        path = "/api/" + route.replace("%(pk)s", "{id}").replace("%(name)s", "{name}")
        assert path.rstrip("/") in text, name
