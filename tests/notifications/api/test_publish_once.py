"""Published again, by one or by many at once: the same event, and of what fails half way, nothing."""

from __future__ import annotations

import hashlib

import pytest
from django.db import connection
from django.test import Client

from notifications.models import Broadcast, Event
from notifications.publishing import publish_notification
from tests.notifications.api.asking import SAID, publish
from tests.threads import at_once


def test_the_same_request_again_is_the_same_event(client, billing, alice):
    said = {**SAID, "recipients": [alice.pk]}

    first, second = (publish(client, billing, said, Idempotency_Key="order-1") for _ in range(2))

    assert first.status_code == second.status_code == 202
    assert second.json() == {**first.json(), "created": False}
    assert second["Location"] == first["Location"]
    assert Event.objects.count() == 1


def test_the_same_key_for_another_request_is_422(client, billing, alice, bob):
    publish(client, billing, {**SAID, "recipients": [alice.pk]}, Idempotency_Key="order-1")

    answer = publish(client, billing, {**SAID, "recipients": [bob.pk]}, Idempotency_Key="order-1")

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_conflict"
    assert Event.objects.count() == 1


def test_two_services_have_their_own_keys(client, billing, stock, alice, bob):
    first = publish(client, billing, {**SAID, "recipients": [alice.pk]}, Idempotency_Key="1")
    second = publish(client, stock, {**SAID, "recipients": [bob.pk]}, Idempotency_Key="1")
    ours = publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"}, idempotency_key="1")

    assert first.json()["created"] is second.json()["created"] is ours.created is True
    assert Event.objects.count() == 3


def test_a_key_of_200_characters_fits(client, billing, alice):
    said = {**SAID, "recipients": [alice.pk]}
    first, second = (publish(client, billing, said, Idempotency_Key="k" * 199 + letter) for letter in "ab")

    assert first.json()["created"] is second.json()["created"] is True
    key = Event.objects.get(pk=first.json()["event_id"]).idempotency_key
    assert key is not None
    assert key.endswith(hashlib.sha256(("k" * 199 + "a").encode()).hexdigest())


@pytest.mark.parametrize("key", ["", "k" * 201, "schlüssel", "a\tb"], ids=["empty", "long", "not ASCII", "tab"])
def test_a_key_that_is_none_is_400(client, billing, alice, key):
    answer = publish(client, billing, {**SAID, "recipients": [alice.pk]}, Idempotency_Key=key)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [1, 60], ids=["event", "broadcast"])
def test_raced_by_many_it_is_one(billing, number):
    said, answers = {**SAID, "recipients": list(range(1, number + 1))}, []

    at_once(*[lambda: answers.append(publish(Client(), billing, said, Idempotency_Key="1")) for _ in range(8)])

    assert [answer.status_code for answer in answers] == [202] * 8
    bodies = [answer.json() for answer in answers]
    assert [body["created"] for body in bodies].count(True) == 1
    assert len({(body["event_id"], body["broadcast_id"]) for body in bodies}) == 1
    assert (Event.objects.count(), Broadcast.objects.count()) == ((1, 0) if number == 1 else (2, 1))


@pytest.mark.django_db(transaction=True)
def test_what_fails_half_way_leaves_nothing(billing):
    inserts = []

    def fail(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            inserts.append(sql)
            if len(inserts) == 2:
                message = "the disk is full"
                raise OSError(message)
        return execute(sql, params, many, context)

    client = Client(raise_request_exception=False)
    with connection.execute_wrapper(fail):
        answer = publish(client, billing, {**SAID, "recipients": list(range(1, 61))}, Idempotency_Key="1")

    assert answer.status_code == 500
    assert len(inserts) == 2
    assert not Event.objects.exists()
    assert publish(client, billing, {**SAID, "recipients": [1]}, Idempotency_Key="1").json()["created"]
