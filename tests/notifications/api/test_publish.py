"""Other services publish, and learn what became of it: their own, in numbers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from notifications import registry
from notifications.maintenance import pruner
from notifications.models import Broadcast, Event
from notifications.publishing import audience, publish_batch_notification, publish_notification
from notifications.services import inbox
from notifications.testing.work import Work
from notifications.types import Priority, Source
from tests.factories import make_template
from tests.notifications.api.asking import NOBODY, SAID, URL, bearer, outcome, publish
from tests.notifications.api.test_isolation import METHODS


def test_what_a_service_publishes_is_told(client, billing, alice, bob):
    answer = publish(client, billing, {**SAID, "recipients": [alice.pk, str(bob.pk), alice.pk]})

    event = Event.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {
        "event_id": str(event.pk),
        "broadcast_id": None,
        "created": True,
        "recipient_count": 2,
        "duplicate_count": 1,
    }
    assert (event.source, event.recipients) == (Source.API, [str(alice.pk), str(bob.pk)])
    Work().run()
    assert inbox.of(alice).get().title == "Order ORD-1"


def test_the_location_is_where_the_outcome_is(client, billing, alice):
    answer = publish(client, billing, {**SAID, "recipients": [alice.pk]})

    assert answer["Location"] == f"http://testserver{URL}publish/{answer.json()['event_id']}/"
    assert client.get(answer["Location"], headers=bearer(billing)).json()["state"] == "pending"


def test_without_the_closing_slash_too(client, billing, alice):
    answer = client.post(
        f"{URL}publish", {**SAID, "recipients": [alice.pk]}, content_type="application/json", headers=bearer(billing)
    )

    assert answer.status_code == 202
    assert outcome(client, billing, answer.json()["event_id"]).status_code == 200
    assert client.get(answer["Location"].rstrip("/"), headers=bearer(billing)).status_code == 200


def test_everything_the_front_door_takes_gets_there(client, billing, alice):
    send_at = timezone.now().replace(microsecond=0) + timedelta(days=1)
    said = {
        **SAID, "recipients": [alice.pk], "priority": "high", "send_at": send_at.isoformat(), "expires_in_seconds": 60,
        "action_url": "/orders/1/", "action_text": "Look", "channels": ["email"], "about": "orders.order:1",
        "digest_key": "cart",
    }  # fmt: skip

    assert publish(client, billing, said).status_code == 202

    event = Event.objects.get()
    assert (event.priority, event.due_at, event.expires_at) == (
        Priority.HIGH, send_at, send_at + timedelta(seconds=60),
    )  # fmt: skip
    assert (event.action_url, event.action_text, event.channels) == ("/orders/1/", "Look", ["email"])
    assert (event.about, event.digest_key, event.variables) == ("orders.order:1", "cart", {"order_number": "ORD-1"})


def test_a_delay_counts_from_now(client, billing, alice):
    publish(client, billing, {**SAID, "recipients": [alice.pk], "delay_seconds": 90})

    event = Event.objects.get()
    assert event.due_at - event.created_at == timedelta(seconds=90)


def test_more_than_fifty_become_a_broadcast(client, billing, django_user_model):
    users = django_user_model.objects.bulk_create([django_user_model(username=f"user-{n}") for n in range(60)])

    answer = publish(client, billing, {**SAID, "recipients": [user.pk for user in users]}).json()

    broadcast = Broadcast.objects.get()
    assert answer == {
        "event_id": None, "broadcast_id": str(broadcast.pk), "created": True, "recipient_count": 60,
        "duplicate_count": 0,
    }  # fmt: skip
    assert {
        *Broadcast.objects.values_list("api_key__name", flat=True),
        *Event.objects.values_list("api_key__name", flat=True),
    } == {"billing"}
    Work().run()
    told = outcome(client, billing, broadcast.pk).json()
    assert (told["state"], told["deliveries"]["by_state"]["sent"]) == ("expanded", 60)
    for event in Event.objects.all():
        assert outcome(client, billing, event.pk).status_code == 404


def test_an_audience_is_named(client, billing, alice, bob, django_user_model, monkeypatch):
    monkeypatch.setattr(registry, "_audiences", {})
    audience("customers")(django_user_model.objects.all)

    answer = publish(client, billing, {**SAID, "audience": "customers"}, Idempotency_Key="1").json()
    again = publish(client, billing, {**SAID, "audience": "customers"}, Idempotency_Key="1").json()

    assert answer["event_id"] is answer["recipient_count"] is None
    assert again == {**answer, "created": False}
    Work().run()
    told = outcome(client, billing, answer["broadcast_id"]).json()
    assert told["deliveries"]["by_state"]["sent"] == 5


def test_an_empty_list_is_checked_and_stores_nothing(client, billing):
    answer = publish(client, billing, {**SAID, "recipients": []})

    assert answer.status_code == 202
    assert "Location" not in answer
    assert (answer.json()["event_id"], answer.json()["created"]) == (None, False)
    assert not Event.objects.exists()


def test_the_outcome_is_numbers_and_nothing_of_a_person(client, billing, alice, bob):
    event_id = publish(client, billing, {**SAID, "recipients": [alice.pk, bob.pk, 2_147_321_987]}).json()["event_id"]
    Work().run()

    answer = outcome(client, billing, event_id)

    told = answer.json()
    assert told["deliveries"] == {"by_state": {"sent": 5, "suppressed": 1}, "by_reason": {"no_address": 1}}
    assert (told["id"], told["template"], told["state"]) == (event_id, "ORDER_CREATED", "dispatched")
    assert datetime.fromisoformat(told["due_at"]) == Event.objects.get().due_at
    assert set(told) == {
        "id", "template", "state", "created_at", "due_at", "expires_at", "finished_at", "deliveries",
    }  # fmt: skip
    for secret in ("alice", "bob", "example.com", "+49", "ORD-1", "2147321987"):
        assert secret not in answer.text


def test_asked_again_it_is_304_until_something_changes(client, billing, alice):
    event_id = publish(client, billing, {**SAID, "recipients": [alice.pk]}).json()["event_id"]
    etag = outcome(client, billing, event_id)["ETag"]
    headers = {**bearer(billing), "If-None-Match": etag}

    assert client.get(f"{URL}publish/{event_id}/", headers=headers).status_code == 304
    Work().run()
    assert client.get(f"{URL}publish/{event_id}/", headers=headers).status_code == 200


def test_another_service_sees_nothing_of_it(client, billing, stock, alice):
    event_id = publish(client, billing, {**SAID, "recipients": [alice.pk]}).json()["event_id"]
    before = list(Event.objects.values())

    foreign, unknown = outcome(client, stock, event_id), outcome(client, stock, NOBODY)

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()
    assert list(Event.objects.values()) == before


def test_what_business_code_published_is_no_services(client, billing, alice, django_user_model):
    users = django_user_model.objects.bulk_create([django_user_model(username=f"user-{n}") for n in range(51)])
    event = publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"})
    batch = publish_batch_notification("ORDER_CREATED", recipients=users, variables={"order_number": "1"})

    assert outcome(client, billing, event.id).status_code == 404
    assert outcome(client, billing, batch.broadcast_id).status_code == 404


@pytest.mark.parametrize("days", [2, 40], ids=["emptied", "gone"])
def test_what_retention_took_is_404(client, billing, alice, days):
    event_id = publish(client, billing, {**SAID, "recipients": [alice.pk]}, Idempotency_Key="1").json()["event_id"]
    Work().run()
    for _ in range(2):
        pruner.run_once(timezone.now() + timedelta(days=days), 100)

    assert Event.objects.exists() is (days == 2)
    assert outcome(client, billing, event_id).status_code == 404


def test_the_template_must_be_in_the_scope(client, make_key, template, alice):
    make_template("OTHER")
    key = make_key(templates=["OTHER"]).text

    refused = publish(client, key, {**SAID, "recipients": [alice.pk]})
    unknown = publish(client, key, {**SAID, "template": "NOTHING", "recipients": [alice.pk]})

    assert refused.status_code == unknown.status_code == 403
    assert refused.json()["code"] == "scope"
    assert "ORDER_CREATED" in refused.json()["detail"]
    assert not Event.objects.exists()
    assert publish(client, key, {**SAID, "template": "OTHER", "recipients": [alice.pk]}).status_code == 202


def test_a_key_for_nothing_publishes_nothing(client, make_key, template, alice):
    assert publish(client, make_key(templates=[]).text, {**SAID, "recipients": [alice.pk]}).status_code == 403


def test_reading_and_publishing_are_rights_of_their_own(client, make_key, template, alice):
    writes, reads = make_key("writes", may_read=False).text, make_key("reads", may_publish=False).text
    event_id = publish(client, writes, {**SAID, "recipients": [alice.pk]}).json()["event_id"]

    refused = [outcome(client, writes, event_id), publish(client, reads, {**SAID, "recipients": [alice.pk]})]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "scope")] * 2
    assert outcome(client, reads, event_id).status_code == 404
    assert Event.objects.count() == 1


@pytest.mark.parametrize("method", METHODS)
def test_with_anothers_key_no_method_does_anything(client, billing, stock, alice, method):
    event_id = publish(client, billing, {**SAID, "recipients": [alice.pk]}).json()["event_id"]
    before = list(Event.objects.values())
    url = f"{URL}publish/{event_id}/"
    body = json.dumps({**SAID, "recipients": [alice.pk]})

    answer = client.generic(method.upper(), url, body, content_type="application/json", headers=bearer(stock))

    assert answer.status_code in {404, 405} or method == "options"
    assert event_id.encode() not in answer.content
    assert list(Event.objects.values()) == before
