"""Whatever a service sends is answered with 4xx and words that point at it, and stores nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from notifications.api.parsers import MAX_BODY
from notifications.models import Broadcast, Event
from tests.notifications.api.asking import NOBODY, SAID, URL, bearer, described, publish
from tests.notifications.api.test_hostile_input import BODIES
from tests.notifications.api.test_isolation import METHODS


@pytest.fixture(autouse=True)
def nothing_stored(db):
    yield
    assert not Event.objects.exists()
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_hostile_body_is_400(client, billing, body):
    answer = publish(client, billing, body)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_body_over_a_megabyte_is_413(client, billing):
    assert publish(client, billing, b" " * (MAX_BODY + 1)).status_code == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_is_no_json_is_415(client, billing, content_type):
    answer = client.post(f"{URL}publish/", b"template=x", content_type=content_type, headers=bearer(billing))

    assert answer.status_code == 415


WRONG = {
    "no template": ({"template": None}, "#/template"),
    "unknown template": ({"template": "ORDER_CREATD"}, "#/template"),
    "template as list": ({"template": ["ORDER_CREATED"]}, "#/template"),
    "unknown field": ({"recipient": 1}, "#/recipient"),
    "source": ({"source": "code"}, "#/source"),
    "another's key": ({"api_key": 1}, "#/api_key"),
    "key in the body": ({"idempotency_key": "1"}, "#/idempotency_key"),
    "dry run": ({"dry_run": False}, "#/dry_run"),
    "nobody named": ({"recipients": None}, "#/recipients"),
    "recipients as text": ({"recipients": "1"}, "#/recipients"),
    "recipients as object": ({"recipients": {"1": 1}}, "#/recipients"),
    "recipients and audience": ({"audience": "customers"}, "#"),
    "variable missing": ({"variables": {}}, "#/variables"),
    "variable unknown": ({"variables": {"order_number": 1, "x": 1}}, "#/variables"),
    "variables as list": ({"variables": []}, "#/variables"),
    "large variables": ({"variables": {"order_number": "x" * 17_000}}, "#/variables"),
    "large together": (
        {"variables": {"order_number": "x" * 16_000}, "action_url": "/" + "x" * 1000}, "#"
    ),
    "priority": ({"priority": "highest"}, "#/priority"),
    "priority as number": ({"priority": 1}, "#/priority"),
    "negative delay": ({"delay_seconds": -1}, "#/delay_seconds"),
    "endless delay": ({"delay_seconds": 2**52}, "#/delay_seconds"),
    "delay as fraction": ({"delay_seconds": 0.5}, "#/delay_seconds"),
    "delay as bool": ({"delay_seconds": True}, "#/delay_seconds"),
    "delay and time": ({"delay_seconds": 1, "send_at": "2030-01-01T00:00:00Z"}, "#/send_at"),
    "time without offset": ({"send_at": "2030-01-01T00:00:00"}, "#/send_at"),
    "last second there is": ({"send_at": "9999-12-31T23:59:59Z", "expires_in_seconds": 60}, "#"),
    "beyond the last": ({"send_at": "9999-12-31T23:59:59-14:00"}, "#/send_at"),
    "expired at once": ({"expires_in_seconds": 0}, "#/expires_in_seconds"),
    "script": ({"action_url": "javascript:alert(1)"}, "#/action_url"),
    "another site": ({"action_url": "//evil.example"}, "#/action_url"),
    "long link": ({"action_url": "/" + "x" * 3000}, "#/action_url"),
    "long label": ({"action_text": "x" * 101}, "#/action_text"),
    "unknown channel": ({"channels": ["emial"]}, "#/channels"),
    "channels as text": ({"channels": "email"}, "#/channels"),
    "many channels": ({"channels": ["email"] * 21}, "#/channels"),
    "long about": ({"about": "x" * 201}, "#/about"),
    "empty about": ({"about": ""}, "#/about"),
    "long digest key": ({"digest_key": "x" * 201}, "#/digest_key"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "pointer"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_pointed_at(client, billing, alice, change, pointer):
    answer = publish(client, billing, {**SAID, "recipients": [alice.pk], **change})

    assert answer.status_code == 400, answer.content
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_an_audience_that_is_none_is_pointed_at(client, billing):
    answer = publish(client, billing, {**SAID, "audience": "custmers"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "unknown_audience"
    assert answer.json()["errors"][0]["pointer"] == "#/audience"


GARBAGE: list[Any] = [
    None, True, 1.0, 1.5, [], {}, "", " ", "alice", "alice@example.com", "1_000", "007", " 1", "1\n", "+1", "٣", "1e3",
    "9" * 30, "9" * 5000, "0x10", "1; DROP TABLE auth_user", NOBODY,
]  # fmt: skip


@pytest.mark.parametrize("recipient", GARBAGE, ids=lambda value: f"{value!r:.20}, {len(repr(value))}")
def test_what_cannot_be_a_recipient_is_pointed_at(client, billing, alice, recipient):
    answer = publish(client, billing, {**SAID, "recipients": [alice.pk, recipient]})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/recipients/1"


@pytest.mark.parametrize("method", METHODS)
def test_only_the_methods_there_are(client, billing, method):
    there = {"post"}, {"get", "head"}
    paths = f"{URL}publish/", f"{URL}publish/{NOBODY}/"

    for path, methods in zip(paths, there, strict=True):
        answer = client.generic(method.upper(), path, "", content_type="application/json", headers=bearer(billing))

        if method == "options":
            assert answer.status_code == 200
        else:
            assert answer.status_code == (405 if method not in methods else 400 if method == "post" else 404)


@pytest.mark.parametrize("method", METHODS)
def test_without_a_key_no_method_does_anything(client, template, method):
    paths = described(client, "apiKey")
    assert len(paths) == 2

    for path in paths:
        url = path.replace("{id}", NOBODY)
        body = json.dumps({**SAID, "recipients": [1]})

        assert client.generic(method.upper(), url, body, content_type="application/json").status_code == 401


@pytest.mark.parametrize("path", ["x", "0", "%00", f"{NOBODY}/x", "..%2f..", NOBODY.replace("-", ""), NOBODY.upper()])
def test_an_id_that_is_none_is_404(client, billing, path):
    assert client.get(f"{URL}publish/{path}/", headers=bearer(billing)).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "a b", "testserver:99999999"])
def test_a_foreign_host_names_no_location(client, billing, host):
    answer = client.post(
        f"{URL}publish/",
        {**SAID, "recipients": []},
        content_type="application/json",
        headers=bearer(billing),
        HTTP_HOST=host,
    )

    assert host not in answer.headers.get("Location", "")
