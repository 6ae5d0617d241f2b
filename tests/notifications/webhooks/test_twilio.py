"""What Twilio tells: signed over the address it was given and what it says."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from notifications.models import ProviderEvent, Suppression
from tests.notifications.services.test_tracking import sent

pytestmark = pytest.mark.django_db

SID = "SM" + "0" * 32
TOKEN = "12345"
URL = "https://shop.example.com/n/callbacks/twilio/"


@pytest.fixture(autouse=True)
def account(settings):
    settings.NOTIFICATIONS = {
        **settings.NOTIFICATIONS,
        "CALLBACK_SECRETS": {"twilio": ["another", TOKEN]},
        "BASE_URL": "https://shop.example.com",
    }


def tell(client, token=TOKEN, url=URL, **said):
    params = {"MessageSid": SID, "MessageStatus": "delivered", "To": "+4915550001001", **said}
    told = url + "".join(f"{name}{params[name]}" for name in sorted(params))
    signature = base64.b64encode(hmac.digest(token.encode(), told.encode(), hashlib.sha1)).decode()
    return client.post("/n/callbacks/twilio/", params, headers={"X-Twilio-Signature": signature})


def test_a_text_message_was_delivered(client):
    row = sent(SID, channel="sms", address="+4915550001001")

    for _ in range(2):
        assert tell(client).status_code == 200

    row.refresh_from_db()
    assert row.delivered_at is not None
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("code", "causes"), [("30005", ["hard_bounce"]), ("30003", []), ("", [])], ids=["no such number", "off", "no code"]
)
def test_a_text_message_reached_nobody(client, code, causes):
    row = sent(SID, channel="sms", address="+4915550001001")

    assert tell(client, MessageStatus="undelivered", ErrorCode=code).status_code == 200

    row.refresh_from_db()
    assert row.bounced_at is not None
    assert [suppression.reason for suppression in Suppression.objects.all()] == causes


def test_what_is_under_way_is_no_news(client):
    sent(SID, channel="sms", address="+4915550001001")

    assert tell(client, MessageStatus="sent").status_code == 200
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"token": "12346"}, {"url": URL.replace("https", "http")}, {"url": f"{URL}?x=1"}], ids=str
)
def test_what_is_not_signed_by_our_account_is_not_believed(client, wrong):
    sent(SID, channel="sms", address="+4915550001001")

    assert tell(client, **wrong).status_code == 401
    assert not ProviderEvent.objects.exists()
