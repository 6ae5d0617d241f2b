"""Archive, snooze, hide: what may follow what, and what is seen where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from notifications.maintenance import snoozes
from notifications.models import Delivery
from notifications.pipeline.resolving import resolve
from notifications.types import DeliveryState, Priority, Reason
from tests.factories import make_item
from tests.notifications.api.asking import URL, mark, patch

HOUR = timedelta(hours=1)


def listed(browser, query=""):
    return [row["id"] for row in browser.get(f"{URL}?{query}").json()["results"]]


def in_an_hour():
    return (timezone.now() + HOUR).isoformat()


def snooze(browser, item):
    assert patch(browser, item, {"snoozed_until": in_an_hour()}).status_code == 200


def test_archived_is_read_and_read_is_seen(browser, item):
    changed = patch(browser, item, {"archived": True}).json()

    assert changed["seen_at"] == changed["read_at"] == changed["archived_at"] is not None
    assert listed(browser) == []
    assert listed(browser, "status=archived") == [str(item.pk)]


def test_what_is_read_again_keeps_its_first_time_when_it_is_archived(browser, item):
    read_at = patch(browser, item, {"read": True}).json()["read_at"]

    assert patch(browser, item, {"archived": True}).json()["read_at"] == read_at


def test_unread_brings_it_back_from_the_archive(browser, item):
    patch(browser, item, {"archived": True})

    changed = patch(browser, item, {"read": False}).json()

    assert (changed["archived_at"], changed["read_at"]) == (None, None)
    assert changed["seen_at"] is not None
    assert listed(browser) == [str(item.pk)]


def test_unarchived_stays_read(browser, item):
    patch(browser, item, {"archived": True})

    changed = patch(browser, item, {"archived": False}).json()

    assert changed["archived_at"] is None
    assert changed["read_at"] is not None


def test_snoozed_is_out_of_the_inbox_and_of_its_counts(browser, item):
    snooze(browser, item)

    assert listed(browser) == listed(browser, "status=unread") == listed(browser, "status=archived") == []
    assert listed(browser, "status=snoozed") == [str(item.pk)]
    assert browser.get(f"{URL}counts/").json()["unread"] == 0


@pytest.mark.parametrize(
    "data", [{"read": True}, {"read": False}, {"archived": True}, {"archived": False}, {"seen": True}]
)
def test_what_is_snoozed_is_left_alone_with_409(browser, item, data):
    snooze(browser, item)

    answer = patch(browser, item, data)

    assert answer.status_code == 409
    assert answer.json()["code"] == "snoozed"
    item.refresh_from_db()
    assert (item.read_at, item.archived_at) == (None, None)


def test_marking_many_passes_over_what_is_snoozed(browser, alice, template, item):
    other = make_item(alice, template)
    snooze(browser, item)

    by_ids = mark(browser, {"as": "read", "ids": [str(item.pk), str(other.pk)]}).json()["updated"]
    by_key = mark(browser, {"as": "archived", "before": str(other.sort_key)}).json()["updated"]

    assert (by_ids, by_key) == (1, 1)
    item.refresh_from_db()
    assert (item.read_at, item.archived_at) == (None, None)


def test_taken_back_it_is_as_it_was(browser, item):
    patch(browser, item, {"read": True})
    before = patch(browser, item, {"archived": True}).json()
    snooze(browser, item)

    assert patch(browser, item, {"snoozed_until": None}).json() == before


def test_when_it_is_over_it_is_on_top_unread_and_new(browser, alice, template, item):
    patch(browser, item, {"archived": True})
    snooze(browser, item)
    newer = make_item(alice, template)

    early = snoozes.run_once(timezone.now() + HOUR - timedelta(minutes=1), 100)
    woken = snoozes.run_once(timezone.now() + HOUR, 100)

    assert (early, woken) == (0, 1)
    assert listed(browser) == [str(item.pk), str(newer.pk)]
    shown = browser.get(f"{URL}{item.pk}/").json()
    assert (shown["snoozed_until"], shown["seen_at"], shown["read_at"], shown["archived_at"]) == (None,) * 4
    assert shown["sort_key"] != str(item.sort_key)
    assert browser.get(f"{URL}counts/").json()["unseen"] == 2


def test_waking_takes_the_longest_due_first_and_no_more_than_the_limit(browser, alice, template):
    items = [make_item(alice, template) for _ in range(3)]
    now = timezone.now()
    for minutes, item in zip([3, 1, 2], items, strict=True):
        patch(browser, item, {"snoozed_until": (now + timedelta(minutes=minutes)).isoformat()})

    assert snoozes.run_once(now + HOUR, 2) == 2
    assert listed(browser) == [str(items[2].pk), str(items[1].pk)]


@pytest.mark.parametrize(
    "until",
    [
        "2020-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "2027-01-01T00:00:00",
        "soon",
        5,
        True,
        "",
    ],
)
def test_a_snooze_until_nowhere_is_400(browser, item, until):
    answer = patch(browser, item, {"snoozed_until": until})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/snoozed_until"
    item.refresh_from_db()
    assert item.snoozed_until is None


@pytest.mark.parametrize(
    "data",
    [
        {"read": False, "archived": True},
        {"snoozed_until": None, "read": True},
        {"archived": None},
        {"unarchived": True},
    ],
    ids=str,
)
def test_what_contradicts_itself_is_400_and_changes_nothing(browser, item, data):
    assert patch(browser, item, data).status_code == 400
    item.refresh_from_db()
    assert (item.read_at, item.archived_at) == (None, None)


def test_hidden_is_gone_for_good(browser, item):
    assert browser.delete(f"{URL}{item.pk}/").status_code == 204

    assert browser.get(f"{URL}{item.pk}/").status_code == 404
    assert browser.delete(f"{URL}{item.pk}/").status_code == 404
    for query in ("", "status=archived", "status=snoozed"):
        assert listed(browser, query) == []


@pytest.mark.parametrize("change", ["archive", "hide"])
def test_an_escalation_is_called_off_by_what_settles_the_item(browser, item, template, change):
    waiting = Delivery.objects.create(
        event_id=item.event_id, notification=item, recipient=item.recipient, template=template, category=template.category,
        channel="email", address="alice@example.com", state=DeliveryState.PENDING, reason=Reason.ESCALATION,
        created_at=item.created_at, due_at=item.created_at + HOUR,
    )  # fmt: skip

    if change == "archive":
        patch(browser, item, {"archived": True})
    else:
        browser.delete(f"{URL}{item.pk}/")

    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (DeliveryState.CANCELLED, Reason.READ)


def test_archive_all_that_is_read_leaves_the_rest(browser, alice, template):
    now = timezone.now()
    read, unread = make_item(alice, template, seen_at=now, read_at=now), make_item(alice, template)

    answer = mark(browser, {"as": "archived", "filter": {"status": "read"}, "before": str(unread.sort_key)}).json()

    assert answer["updated"] == 1
    assert listed(browser) == [str(unread.pk)]
    assert listed(browser, "status=archived") == [str(read.pk)]


def test_a_filter_may_also_name_the_archive(browser, alice, template):
    items = [make_item(alice, template) for _ in range(2)]
    mark(browser, {"as": "archived", "before": str(items[1].sort_key)})

    wanted = {"as": "unarchived", "filter": {"status": "archived"}, "before": str(items[0].sort_key)}

    assert mark(browser, wanted).json()["updated"] == 1
    assert listed(browser) == [str(items[0].pk)]


@pytest.mark.parametrize(
    "data",
    [
        {"as": "read", "filter": {"stats": "read"}, "before": "01900000-0000-7000-8000-000000000000"},
        {"as": "read", "filter": {"status": "snoozed"}, "before": "01900000-0000-7000-8000-000000000000"},
        {"as": "read", "filter": [], "before": "01900000-0000-7000-8000-000000000000"},
        {"as": "read", "filter": {"status": "read"}},
    ],
    ids=lambda data: str(data["filter"]),
)
def test_a_filter_that_means_nothing_is_400_and_marks_nothing(browser, item, data):
    assert mark(browser, data).status_code == 400
    item.refresh_from_db()
    assert item.read_at is None


def test_every_filter_narrows_the_list(browser, alice, template):
    old = make_item(alice, template, created_at=datetime(2026, 1, 1, tzinfo=UTC), about="orders.order:1")
    urgent = make_item(alice, template, priority=Priority.URGENT, about="orders.order:2")

    assert listed(browser, "priority=urgent") == [str(urgent.pk)]
    assert listed(browser, "about=orders.order:1") == [str(old.pk)]
    assert listed(browser, "created_before=2026-01-02T00:00:00Z") == [str(old.pk)]
    assert listed(browser, "created_after=2026-01-01T00:00:00Z") == [str(urgent.pk), str(old.pk)]
    assert listed(browser, "created_after=2026-01-01T01:00:00%2B01:00&priority=normal") == [str(old.pk)]


def test_what_business_code_settles_is_archived_and_read(browser, alice, template):
    item = make_item(alice, template, about="orders.order:1")

    resolve("orders.order:1", None, now=timezone.now())

    shown = browser.get(f"{URL}{item.pk}/").json()
    assert shown["archived_at"]
    assert shown["read_at"]
