"""Mutes over HTTP: of what an item is about, until an instant or for ever, one's own only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import ConsentChange, Mute
from notifications.services import mutes
from tests.notifications.api.asking import URL
from tests.threads import at_once

pytestmark = pytest.mark.django_db

MUTES = f"{URL}mutes/"
ORDER = "orders.order:42"


def mute(client, data=None, **headers):
    return client.post(
        MUTES, {"about": ORDER} if data is None else data, content_type="application/json", headers=headers
    )


def test_an_object_is_muted_listed_and_heard_of_again(browser, alice):
    made = mute(browser, {"about": ORDER, "until": None})

    assert made.status_code == 201
    row = Mute.objects.get()
    assert (row.recipient, row.about, row.until) == (alice, ORDER, None)
    assert made.json()["about"] == ORDER
    assert browser.get(MUTES).json() == {"results": [made.json()]}

    assert browser.delete(f"{MUTES}{row.pk}/").status_code == 204
    assert browser.get(MUTES).json() == {"results": []}
    lines = ConsentChange.objects.order_by("id").values_list("subject", "before", "after", "source", "changed_by")
    assert list(lines) == [
        (f"about:{ORDER}", "", "muted", "api", alice.pk),
        (f"about:{ORDER}", "muted", "", "api", alice.pk),
    ]


def test_muted_again_it_is_the_same_mute_with_another_end(browser):
    until = (timezone.now() + timedelta(days=7)).isoformat()
    first = mute(browser)

    again, later = mute(browser), mute(browser, {"about": ORDER, "until": until})

    assert (again.status_code, later.status_code) == (200, 201)
    assert first.json()["id"] == again.json()["id"] == later.json()["id"]
    assert Mute.objects.get().until is not None
    assert ConsentChange.objects.count() == 2


def test_what_is_over_is_not_listed(browser, alice):
    row = Mute.objects.create(recipient=alice, about=ORDER, created_at=timezone.now(), until=timezone.now())

    assert browser.get(MUTES).json() == {"results": []}
    assert browser.delete(f"{MUTES}{row.pk}/").status_code == 404


def test_there_are_only_so_many(browser, alice, monkeypatch):
    monkeypatch.setattr(mutes, "MAX_MUTES", 2)
    Mute.objects.create(recipient=alice, about="over:1", created_at=timezone.now(), until=timezone.now())
    assert mute(browser, {"about": "a:1"}).status_code == mute(browser, {"about": "a:2"}).status_code == 201

    answer = mute(browser, {"about": "a:3"}, **{"accept-language": "de"})

    assert answer.status_code == 400
    assert answer.json()["detail"] == "Sie haben schon 2 Dinge stummgeschaltet; nehmen Sie erst eines zurück."
    assert mute(browser, {"about": "a:1"}).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({}, "#/about"),
        ({"about": ""}, "#/about"),
        ({"about": "  "}, "#/about"),
        ({"about": None}, "#/about"),
        ({"about": "x" * 201}, "#/about"),
        ({"about": [ORDER]}, "#/about"),
        ({"about": ORDER, "until": "2020-01-01T00:00:00Z"}, "#/until"),
        ({"about": ORDER, "until": "2999-01-01T00:00:00"}, "#/until"),
        ({"about": ORDER, "until": "9999-12-31T23:59:59-12:00"}, "#/until"),
        ({"about": ORDER, "until": 32503680000}, "#/until"),
        ({"about": ORDER, "recipient": 1}, "#/recipient"),
        ({"about": ORDER, "id": 1}, "#/id"),
        ([], "#"),
    ],
)
def test_what_means_nothing_is_refused_and_writes_nothing(browser, wrong, pointer):
    answer = mute(browser, wrong)

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Mute.objects.exists()
    assert not ConsentChange.objects.exists()


@pytest.mark.parametrize("pk", ["0", "9" * 18, "9" * 40, "-1", "1e3", "%00", "x", "1/2"])
def test_an_id_that_is_none_is_404(browser, pk):
    assert browser.delete(f"{MUTES}{pk}/").status_code == 404


def test_a_mute_of_somebody_else_is_neither_listed_nor_taken_back(browser, client_of, charlie):
    pk = mute(browser).json()["id"]
    stranger = client_of(charlie)

    assert stranger.get(MUTES).json() == {"results": []}
    assert stranger.delete(f"{MUTES}{pk}/").status_code == 404
    assert mute(stranger).status_code == 201
    assert Mute.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_who_mutes_the_same_thing_many_times_at_once_has_one_mute(alice, client_of):
    clients = [client_of(alice) for _ in range(4)]
    answers: list[int] = []

    at_once(*[lambda client=client: answers.append(mute(client).status_code) for client in clients])

    assert sorted(answers) == [200, 200, 200, 201]
    assert Mute.objects.count() == ConsentChange.objects.count() == 1
