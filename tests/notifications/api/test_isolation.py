"""Two people, every address, every method, with each other's ids: 404, and nothing is written."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from notifications.models import Endpoint, Mute, Notification
from tests.notifications.api.asking import described

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
#: What a method may answer for an id that is not mine: not there, or no such method, or a wrong body.
REFUSED = {404, 405}


def addresses(client):
    """Return every address of the API that has somebody's id in it, from its own description."""
    return [path for path in described(client, "session") if "{id}" in path]


@pytest.fixture
def url_of(alice, item):
    """Return a function that fills the ids of what is Alice's into an address."""
    now = timezone.now()
    mute = Mute.objects.create(recipient=alice, about="orders.order:42", created_at=now)
    endpoint = Endpoint.objects.create(
        recipient=alice, channel="webhook", address={"url": "https://hooks.example.com/"}, created_at=now
    )
    mine = {"mutes": mute, "endpoints": endpoint}

    def fill(path):
        place = path.removeprefix("/api/notifications/").partition("/")[0]
        return path.replace("{id}", str(mine.get(place, item).pk)).replace("{name}", "confirm")

    return fill


def everything():
    return [list(model.objects.values()) for model in (Notification, Mute, Endpoint)]


@pytest.fixture
def rows(url_of):
    return everything()


@pytest.mark.parametrize("method", METHODS)
def test_a_stranger_with_my_id_gets_nothing_and_writes_nothing(client, charlie, item, url_of, rows, method):
    client.force_login(charlie)
    paths = addresses(client)
    assert len(paths) >= 5

    for path in paths:
        url = url_of(path)
        body = json.dumps({"read": True}) if method in {"post", "put", "patch"} else ""
        answer = client.generic(method.upper(), url, body, content_type="application/json")

        if method != "options":
            assert answer.status_code in REFUSED, (method, url)
        assert item.title.encode() not in answer.content
        assert b"hooks.example.com" not in answer.content
    assert everything() == rows


@pytest.mark.parametrize("method", METHODS)
def test_without_a_session_nothing_is_there_at_all(client, url_of, rows, method):
    for path in addresses(client):
        url = url_of(path)

        assert client.generic(method.upper(), url).status_code in {403, 404, 405}
    assert everything() == rows


def test_every_route_that_writes_wants_the_csrf_token(alice, url_of, rows, csrf_client):
    csrf_client.force_login(alice)
    paths = described(csrf_client, "session")
    writing = [(method, path) for path, methods in paths.items() for method in methods if method != "get"]
    assert len(writing) >= 10

    for method, path in writing:
        url = url_of(path)
        answer = csrf_client.generic(method.upper(), url, "{}", content_type="application/json")

        assert answer.status_code == 403, (method, url)
        assert "CSRF" in answer.json()["detail"]
    assert everything() == rows


def test_the_description_names_every_route(tmp_path):
    """Or the tests above would miss one."""
    from django.urls import get_resolver

    described = tmp_path / "schema.yml"
    call_command("spectacular", file=str(described))
    text = described.read_text()
    names = {name for name in get_resolver("notifications.api.urls").reverse_dict if isinstance(name, str)}

    assert names >= {"notification-list", "notification-mark", "mute-detail", "endpoint-detail", "settings"}
    # A script is everybody's, and no part of the API.
    for name in names - {"schema", "docs", "notification-service-worker"}:
        ((route, _), *_), *_ = get_resolver("notifications.api.urls").reverse_dict.getlist(name)[0]
        path = "/api/" + route.replace("%(pk)s", "{id}").replace("%(name)s", "{name}")
        assert path.rstrip("/") in text, name
