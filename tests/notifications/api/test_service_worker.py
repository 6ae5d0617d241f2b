"""The script that shows push messages: for everybody, whole, and asked for anew when it changes."""

from __future__ import annotations

from notifications.api.service_worker import SOURCE

URL = "/api/notifications/service-worker.js"


def test_it_is_served_to_everybody_as_it_is(client):
    answer = client.get(URL)

    assert answer.status_code == 200
    assert answer.content == SOURCE.read_bytes()
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"


def test_browsers_look_whether_it_changed(client):
    first = client.get(URL)

    assert first["Cache-Control"] == "no-cache"
    assert client.get(URL, headers={"if-none-match": first["ETag"]}).status_code == 304
    assert client.get(URL, headers={"if-none-match": '"another"'}).status_code == 200


def test_it_can_only_be_read(client):
    assert client.head(URL).status_code == 200
    assert client.post(URL).status_code == 405
