"""What comes back from providers: believed only if signed, read only if short, and told once."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from notifications.channels.webhook import signature
from notifications.models import ProviderEvent, Suppression
from tests.notifications.services.test_tracking import sent

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: The vector of Standard Webhooks 1.0.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret of ours").decode()
BOUNCE = {"id": "e-1", "message_id": "m-1", "kind": "bounced", "at": "2026-03-01T11:59:00Z", "code": "550", "is_hard": True}  # fmt: skip


@pytest.fixture(autouse=True)
def relay(settings):
    """A provider that signs as we told it to, at noon."""
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "CALLBACK_SECRETS": {"relay": [SECRET]}}
    with time_machine.travel(NOW, tick=False):
        yield


def tell(client, *events, secret=SECRET, at=NOW, name="msg-1", body=None, provider="relay", **headers):
    body = json.dumps({"events": events}).encode() if body is None else body
    sent_at = int(at.timestamp())
    given = {
        "webhook-id": name,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": signature(secret, name, sent_at, body),
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    return client.post(f"/n/callbacks/{provider}/", body, content_type="application/json", headers=given)


def test_what_a_provider_tells_is_on_the_delivery(client, alice):
    row = sent("m-1", recipient=alice)

    response = tell(client, BOUNCE)

    row.refresh_from_db()
    assert (response.status_code, response.content) == (200, b"")
    assert row.bounced_at == datetime(2026, 3, 1, 11, 59, tzinfo=UTC)
    assert (Suppression.objects.get().reason, Suppression.objects.get().code) == ("hard_bounce", "550")


@pytest.mark.parametrize(
    "how",
    [
        {"secret": OTHER},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v1a,AAAA \xe4"},
        {"webhook_id": "msg-2"},
        {"webhook_id": ""},
        {"webhook_timestamp": str(int(NOW.timestamp()) + 1)},
        {"name": "", "webhook_id": ""},
        {"at": datetime(2026, 3, 1, 11, 54, 59, tzinfo=UTC)},
        {"at": datetime(2026, 3, 1, 12, 5, 1, tzinfo=UTC)},
    ],
    ids=["secret", "none", "empty", "other scheme", "id", "no id", "time", "no id, signed", "too old", "too early"],
)
def test_what_is_not_signed_just_now_is_not_believed(client, caplog, how):
    sent("m-1")

    response = tell(client, BOUNCE, **how)

    assert response.status_code == 401
    assert not ProviderEvent.objects.exists()
    assert "callback refused provider='relay'" in caplog.text


def test_a_body_that_was_changed_is_not_believed(client):
    sent("m-1")
    sent_at, body = int(NOW.timestamp()), json.dumps({"events": [BOUNCE]}).encode()
    shown = signature(SECRET, "msg-1", sent_at, body)
    headers = {"webhook-id": "msg-1", "webhook-timestamp": str(sent_at), "webhook-signature": shown}

    for changed in (body + b" ", body.replace(b"m-1", b"m-2"), body[1:]):
        response = client.post("/n/callbacks/relay/", changed, content_type="application/json", headers=headers)
        assert response.status_code == 401
    assert client.post("/n/callbacks/relay/", body, content_type="application/json", headers=headers).status_code == 200


def test_a_time_that_is_none_is_not_believed(client):
    for sent_at in ("", "soon", "9" * 40, "-1", "nan"):
        shown = signature(SECRET, "msg-1", sent_at, b"{}")  # type: ignore[arg-type]
        headers = {"webhook-id": "msg-1", "webhook-timestamp": sent_at, "webhook-signature": shown}
        assert client.post("/n/callbacks/relay/", b"{}", content_type="x/y", headers=headers).status_code == 401


def test_both_secrets_count_while_they_change(client, settings):
    sent("m-1")
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "CALLBACK_SECRETS": {"relay": [OTHER, SECRET]}}

    assert tell(client, {**BOUNCE, "id": "a"}).status_code == 200
    assert tell(client, {**BOUNCE, "id": "b"}, secret=OTHER).status_code == 200
    assert ProviderEvent.objects.count() == 2


def test_a_replay_changes_nothing(client):
    sent("m-1")

    for _ in range(3):
        assert tell(client, BOUNCE).status_code == 200
    # One without ids of its events is known by its own.
    bare = {**BOUNCE, "id": ""}
    for _ in range(3):
        assert tell(client, bare, bare).status_code == 200

    assert ProviderEvent.objects.count() == 3


def test_what_is_about_no_message_of_ours_is_taken_and_dropped(client):
    assert tell(client, BOUNCE).status_code == 200
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"events"', b"{}", b'{"events": {}}', b'{"events": [1]}', b'{"events": [{}]}',
        b'{"events": [{"message_id": "m-1", "kind": "eaten"}]}',
        b'{"events": [{"message_id": 1, "kind": "bounced"}]}',
        b'{"events": [{"message_id": "m\\u0000", "kind": "bounced"}]}',
        b'{"events": [{"message_id": "\\ud800", "kind": "bounced"}]}',
        b"[" * 60_000, b"\xff", b'{"events": [' + b"1," * 1000 + b"1]}",
    ],
    ids=lambda body: repr(body[:40]),
)  # fmt: skip
def test_what_is_signed_but_cannot_be_read_is_refused(client, body):
    assert tell(client, body=body).status_code == 400


@pytest.mark.parametrize("at", ["", "yesterday", "2026-13-45T99:00:00Z", "2026-03-01T11:59:00"])
def test_a_time_nobody_understands_is_now(client, at):
    row = sent("m-1")

    assert tell(client, {**BOUNCE, "at": at}).status_code == 200

    row.refresh_from_db()
    assert row.bounced_at == NOW


def test_a_long_body_is_not_read(client):
    assert tell(client, body=b" " * (1024 * 1024 + 1)).status_code == 413
    assert tell(client, BOUNCE, content_length="one").status_code == 413


def test_a_provider_nobody_knows_is_not_found(client, caplog):
    assert tell(client, BOUNCE, provider="nobody").status_code == 404
    assert "callback refused provider='nobody'" in caplog.text


def test_it_is_asked_whether_anybody_is_there(client):
    assert client.head("/n/callbacks/relay/").status_code == 200
    assert client.get("/n/callbacks/relay/").status_code == 405


def test_the_example_of_the_page_on_channels_is_taken(client):
    row = sent("m-1")
    page = Path(__file__).parents[3].joinpath("docs/channels.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"```json\n(.*?)```", page[page.index("## What comes back") :], re.DOTALL)

    assert tell(client, body=body.encode()).status_code == 200

    row.refresh_from_db()
    assert row.bounced_at == NOW
