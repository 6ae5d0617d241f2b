"""Redis takes connections and never answers: the inbox does not notice."""

from __future__ import annotations

import json
import socket
import time

import pytest

from notifications import realtime
from notifications.models import Notification
from tests.factories import make_item
from tests.notifications.api.asking import URL

#: Whoever waited for Redis would wait this long at least.
WAIT = realtime.SOCKET_TIMEOUT
ASKED = [
    ("GET", "", None),
    ("GET", "counts/", None),
    ("GET", "{id}/", None),
    ("GET", "{id}/why/", None),
    ("PATCH", "{id}/", {"read": True}),
    ("PATCH", "{id}/", {"read": False}),
    ("PATCH", "{id}/", {"archived": True}),
    ("PATCH", "{id}/", {"snoozed_until": "{soon}"}),
    ("PATCH", "{id}/", {"snoozed_until": None}),
    ("POST", "mark/", {"as": "read", "ids": ["{id}"]}),
    ("POST", "stream/token/", {}),
    ("DELETE", "{id}/", None),
]


@pytest.fixture
def black_hole(settings):
    """A server that takes whatever is sent, and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "REALTIME_URL": url}
        yield


@pytest.mark.django_db(transaction=True)
def test_no_request_waits_for_redis(alice, template, client_of, black_hole):
    items = [make_item(alice, template) for _ in range(3)]
    browser = client_of(alice)
    soon = f"{time.gmtime().tm_year + 1}-01-01T00:00:00Z"
    before = realtime.dropped()

    for item in items:
        for method, path, body in ASKED:
            text = json.dumps(body).replace("{id}", str(item.pk)).replace("{soon}", soon) if body is not None else ""
            began = time.monotonic()
            answer = browser.generic(method, URL + path.format(id=item.pk), text, content_type="application/json")

            assert answer.status_code in {200, 204}, (method, path, answer.content)
            assert time.monotonic() - began < WAIT, (method, path)
    assert not Notification.objects.listed().exists()
    # It was really tried.
    until = time.monotonic() + 10 * WAIT
    while realtime.dropped() == before:
        assert time.monotonic() < until
        time.sleep(0.05)
