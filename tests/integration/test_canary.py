"""An address on its way through real processes: nowhere in the broker, in a worker's log, or in other columns."""

from __future__ import annotations

import os

import pytest
import redis

from notifications.models import Delivery, RecipientSettings, Suppression
from notifications.publishing import publish_notification
from tests.canary import hits_in_database
from tests.integration.processes import output

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

EMAIL, PHONE = "zzpii-7f3a@x.test", "+4915551234567"
CANARIES = ("zzpii", "15551234567")
READS: dict = {
    # Gone between two questions.
    b"none": lambda client, key: None,
    b"string": lambda client, key: client.get(key),
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"hash": lambda client, key: client.hgetall(key),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1),
}


def in_the_broker():
    """Return all that Redis holds, as text."""
    client = redis.from_url(os.environ["REDIS_URL"])
    return str([(key, READS[client.type(key)](client, key)) for key in client.scan_iter()])


def test_an_address_is_only_where_addresses_belong(django_user_model, outside, worker, eventually):
    user = django_user_model.objects.create_user("somebody", email=EMAIL)
    RecipientSettings.objects.create(recipient=user, phone=PHONE)
    outside.mailbox.answers[EMAIL].extend([f"450 4.2.1 <{EMAIL}> busy", f"550 5.1.1 <{EMAIL}> unknown"])

    publish_notification(
        "ORDER_SHIPPED", recipient=user, variables={"order_number": "ORD-1", "tracking_code": "TRACK-1"}
    )
    eventually(lambda: "dispatch" in in_the_broker())
    held = [in_the_broker()]
    process = worker(LOG_LEVEL="DEBUG")
    eventually(lambda: Delivery.objects.exists() and not Delivery.objects.filter(finished_at=None).exists())
    held.append(in_the_broker())

    states = dict(Delivery.objects.values_list("channel", "state"))
    assert (states["email"], states["sms"]) == ("failed", "sent")
    assert len(outside.mailbox.tries) == 2
    assert [canary for canary in CANARIES if canary in str(held)] == []
    assert [canary for canary in CANARIES if canary in output(process)] == []
    assert hits_in_database(CANARIES) == set()
    assert not Suppression.objects.exclude(address=EMAIL).exists()
