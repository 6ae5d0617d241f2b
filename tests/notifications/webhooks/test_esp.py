"""What e-mail services tell, in their own shapes, by anymail."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from anymail.urls import urlpatterns as services

from notifications.models import ProviderEvent, Suppression
from notifications.webhooks import esp
from tests.notifications.services.test_tracking import sent

pytestmark = pytest.mark.django_db

SECRET = "us:wide-open"
MESSAGE = "00000000-0000-0000-0000-000000000000"
POSTMARK = {"MessageID": MESSAGE, "ServerID": 23, "MessageStream": "outbound", "Metadata": {}}
HARD = {**POSTMARK, "RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "Email": "alice@example.com", "BouncedAt": "2026-03-01T12:00:00Z"}  # fmt: skip
DELIVERY = {**POSTMARK, "RecordType": "Delivery", "Recipient": "alice@example.com", "DeliveredAt": "2026-03-01T11:59:00Z"}  # fmt: skip
SES_MAIL = {"messageId": MESSAGE, "destination": ["alice@example.com"], "headers": []}


@pytest.fixture(autouse=True)
def secret(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


def tell(client, event, *, provider="postmark", secret=SECRET, **headers):
    basic = "Basic " + base64.b64encode(secret.encode()).decode()
    body = event if isinstance(event, bytes) else json.dumps(event)
    headers = {"Authorization": basic, **headers} if secret else headers
    return client.post(f"/n/callbacks/{provider}/", body, content_type="application/json", headers=headers)


def tell_ses(client, kind, **parts):
    event = {"eventType": kind, "mail": SES_MAIL, **parts}
    told = {"Type": "Notification", "MessageId": "sns-1", "Timestamp": "2026-03-01T12:00:00Z", "Message": json.dumps(event)}  # fmt: skip
    headers = {"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": "sns-1"}
    return tell(client, told, provider="amazon_ses", **headers)


def ses_bounce(kind, sub="General"):
    return {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": [{"emailAddress": "alice@example.com"}]}


def causes():
    return [row.reason for row in Suppression.objects.all()]


def test_postmark_tells_of_a_delivery(client):
    row = sent(MESSAGE)

    for _ in range(2):
        assert tell(client, DELIVERY).status_code == 200

    row.refresh_from_db()
    assert row.delivered_at == datetime(2026, 3, 1, 11, 59, tzinfo=UTC)
    assert [(event.provider, event.kind) for event in ProviderEvent.objects.all()] == [("postmark", "delivered")]


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (HARD, ["hard_bounce"]),
        ({**HARD, "Type": "SoftBounce"}, []),
        ({**HARD, "Type": "Transient"}, []),
        ({**HARD, "Type": "BadEmailAddress"}, ["hard_bounce"]),
        ({**HARD, "Type": "Blocked"}, []),
        ({**HARD, "RecordType": "SpamComplaint", "Type": "SpamComplaint"}, ["complaint"]),
        ({**POSTMARK, "RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression"}, ["unsubscribed"]),
        ({**POSTMARK, "RecordType": "Open", "FirstOpen": True}, []),
        ({**DELIVERY, "MessageID": ""}, []),
    ],
    ids=["hard", "soft", "transient", "bad address", "blocked", "complaint", "unsubscribed", "open", "no id"],
)  # fmt: skip
def test_postmark_tells_of_what_is_no_good(client, event, found):
    sent(MESSAGE)

    assert tell(client, event).status_code == 200
    assert causes() == found


@pytest.mark.parametrize(
    ("kind", "parts", "found"),
    [
        ("Bounce", {"bounce": ses_bounce("Permanent")}, ["hard_bounce"]),
        ("Bounce", {"bounce": ses_bounce("Transient", "MailboxFull")}, []),
        ("Bounce", {"bounce": ses_bounce("Undetermined")}, []),
        ("Complaint", {"complaint": {"complainedRecipients": [{"emailAddress": "alice@example.com"}]}}, ["complaint"]),
        ("Delivery", {"delivery": {"recipients": ["alice@example.com"]}}, []),
    ],
    ids=["permanent", "transient", "undetermined", "complaint", "delivery"],
)
def test_amazon_ses_tells_of_what_is_no_good(client, kind, parts, found):
    row = sent(MESSAGE)

    assert tell_ses(client, kind, **parts).status_code == 200

    row.refresh_from_db()
    assert causes() == found
    assert row.feedback.get().provider == "amazon_ses"


@pytest.mark.parametrize("wrong", ["", "us:guessed", "us"])
def test_who_does_not_know_the_secret_is_not_believed(client, wrong):
    sent(MESSAGE)

    response = tell(client, HARD, secret=wrong)

    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Basic")
    assert not ProviderEvent.objects.exists()


def test_without_a_secret_nobody_is_believed_who_does_not_sign(client, settings, caplog):
    settings.ANYMAIL = {}
    sent(MESSAGE)

    assert tell(client, HARD, secret="").status_code == 404
    assert "set WEBHOOK_SECRET in ANYMAIL" in caplog.text


def test_mailgun_signs(client, settings):
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "key"}

    body = {"signature": {"token": "t", "timestamp": "1", "signature": "0"}, "event-data": {}}
    assert tell(client, body, provider="mailgun", secret="").status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"\xff"], ids=repr)
def test_what_cannot_be_read_is_refused_and_not_logged(client, caplog, body):
    assert tell(client, body).status_code == 400
    assert "callback refused provider='postmark' why='It cannot be read.'" in caplog.text


def test_what_anymail_does_not_know_is_not_found(client):
    assert tell(client, HARD, provider="pigeons").status_code == 404


def test_without_anymail_there_are_no_such_callbacks(client, monkeypatch):
    monkeypatch.setattr(esp, "anymail", None)

    esp.connect()
    assert tell(client, HARD).status_code == 404


def test_it_is_heard_where_a_project_mounts_anymail_itself(rf):
    sent(MESSAGE)
    view = next(url.callback for url in services if url.name == "postmark_tracking_webhook")
    basic = "Basic " + base64.b64encode(SECRET.encode()).decode()

    view(rf.post("/", json.dumps(HARD), content_type="application/json", headers={"Authorization": basic}))

    assert causes() == ["hard_bounce"]
