"""The inbox API as a browser sees it. Charlie must get nothing of Alice's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_item
from tests.notifications.api.asking import NOBODY, URL, mark, patch


@pytest.mark.parametrize("url", ["/api/notifications", "/api/notifications/"])
def test_the_list_answers_with_and_without_the_slash(browser, item, url):
    response = browser.get(url)

    assert response.status_code == 200
    (shown,) = response.json()["results"]
    assert shown["id"] == str(item.pk)
    assert (shown["title"], shown["body"], shown["category"], shown["template"]) == (
        "Order ORD-1",
        "We have it.",
        "orders",
        "ORDER_CREATED",
    )
    assert shown["priority"] == "normal"
    assert shown["read_at"] is None
    assert "recipient" not in shown


@pytest.mark.parametrize("method", ["get", "post", "patch"])
def test_without_a_session_there_is_nothing(client, item, method):
    for url in (URL, f"{URL}{item.pk}/", f"{URL}counts/", f"{URL}mark/"):
        assert getattr(client, method)(url).status_code in {403, 405}


def test_a_stranger_gets_404_and_changes_nothing(client, charlie, item):
    client.force_login(charlie)

    assert client.get(URL).json()["results"] == []
    assert client.get(f"{URL}{item.pk}/").status_code == 404
    assert patch(client, item, {"read": True}).status_code == 404
    assert mark(client, {"as": "read", "ids": [str(item.pk)]}).json()["updated"] == 0
    assert mark(client, {"as": "read", "before": str(item.sort_key)}).json()["updated"] == 0
    assert client.get(f"{URL}counts/").json()["unread"] == 0
    item.refresh_from_db()
    assert item.read_at is None


@pytest.mark.parametrize("pk", ["1", "x", "00000000-0000-0000-0000-000000000000", NOBODY])
def test_an_id_that_is_none_is_404(browser, item, pk):
    assert browser.get(f"{URL}{pk}/").status_code == 404


def test_what_is_not_listed_or_hidden_is_not_there(browser, alice, template):
    unlisted = make_item(alice, template, listed_at=None)
    hidden = make_item(alice, template, hidden_at=timezone.now())

    assert browser.get(URL).json()["results"] == []
    for item in (unlisted, hidden):
        assert browser.get(f"{URL}{item.pk}/").status_code == 404


def test_paging_while_reading_drops_no_row(browser, alice, template):
    now = timezone.now()
    made = [make_item(alice, template, created_at=now, listed_at=now).pk for _ in range(23)]
    seen, url = [], f"{URL}?status=unread&page_size=5"
    while url:
        page = browser.get(url).json()
        seen += [row["id"] for row in page["results"]]
        mark(browser, {"as": "read", "ids": [row["id"] for row in page["results"]]})
        url = page["next"]

    assert seen == [str(pk) for pk in reversed(made)]


def test_the_list_costs_one_query_whatever_its_length(browser, alice, template, django_assert_num_queries):
    for _ in range(10):
        make_item(alice, template)

    # session, user, page
    with django_assert_num_queries(3) as queries:
        browser.get(f"{URL}?page_size=5")

    assert not any("COUNT" in query["sql"] for query in queries.captured_queries)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=abc", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=", "cursor"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=1e3", "page_size"),
        ("page_size=99999999999999999999999", "page_size"),
        ("status=lost", "status"),
        ("status=read&status=unread", "status"),
        ("unred=1", "unred"),
        ("priority=2", "priority"),
        ("about=%00", "about"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("created_after=99999-01-01T00:00:00Z", "created_after"),
        ("created_before=0001-01-01T00:00:00%2B14:00", "created_before"),
        ("created_after=2026-02-01T00:00:00Z&created_before=2026-01-01T00:00:00Z", "created_before"),
    ],
)
def test_a_wrong_query_is_400_and_names_the_field(browser, item, query, field):
    response = browser.get(f"{URL}?{query}")

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["title"], problem["code"]) == (400, "Bad Request", "invalid")
    assert field in [error["parameter"] for error in problem["errors"]]


def test_a_cursor_that_was_tampered_with_is_400(browser, alice, template):
    for _ in range(3):
        make_item(alice, template)
    url = browser.get(f"{URL}?page_size=2").json()["next"]

    assert browser.get(url).status_code == 200
    assert browser.get(url.replace("cursor=0", "cursor=1")).status_code == 400


def test_filters_narrow_the_list(browser, alice, template):
    read = make_item(alice, template, seen_at=timezone.now(), read_at=timezone.now())
    unread = make_item(alice, template)

    def listed(query):
        return [row["id"] for row in browser.get(f"{URL}?{query}").json()["results"]]

    assert listed("status=unread") == [str(unread.pk)]
    assert listed("status=read") == [str(read.pk)]
    assert len(listed("category=orders&template=ORDER_CREATED")) == 2
    assert listed("category=stock") == []


def test_reading_implies_seen_and_keeps_the_first_time(browser, item):
    first = patch(browser, item, {"read": True}).json()
    again = patch(browser, item, {"read": True}).json()

    assert first["read_at"] is not None
    assert first["seen_at"] is not None
    assert again["read_at"] == first["read_at"]


def test_unread_clears_read_and_keeps_seen(browser, item):
    patch(browser, item, {"read": True})

    changed = patch(browser, item, {"read": False}).json()

    assert changed["read_at"] is None
    assert changed["seen_at"] is not None


def test_seen_is_not_read(browser, item):
    changed = patch(browser, item, {"seen": True}).json()

    assert changed["seen_at"] is not None
    assert changed["read_at"] is None


@pytest.mark.parametrize(
    "data",
    [{}, {"read": "perhaps"}, {"seen": False}, {"title": "x"}, {"read": True, "recipient": 1}, [], "read", None],
    ids=str,
)
def test_a_wrong_change_is_400_and_changes_nothing(browser, item, data):
    import json

    response = browser.patch(f"{URL}{item.pk}/", json.dumps(data), content_type="application/json")

    assert response.status_code == 400
    item.refresh_from_db()
    assert (item.read_at, item.seen_at, item.title) == (None, None, "Order ORD-1")


def test_mark_all_leaves_what_came_after_the_page_was_drawn(browser, alice, template):
    older, newest = make_item(alice, template), make_item(alice, template)
    page = browser.get(URL).json()["results"]
    later = make_item(alice, template)

    answer = mark(browser, {"as": "read", "before": page[0]["sort_key"]}).json()

    assert answer["updated"] == 2
    assert answer["counts"]["unread"] == 1
    for item in (older, newest, later):
        item.refresh_from_db()
    assert older.read_at
    assert newest.read_at
    assert later.read_at is None


def test_marking_twice_changes_nothing_the_second_time(browser, item):
    assert mark(browser, {"as": "read", "ids": [str(item.pk)]}).json()["updated"] == 1
    assert mark(browser, {"as": "read", "ids": [str(item.pk)]}).json()["updated"] == 0


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"as": "read"},
        {"as": "lost", "ids": []},
        {"ids": []},
        {"as": "read", "ids": ["x"]},
        {"as": "read", "ids": [10**40]},
        {"as": "read", "ids": [NOBODY] * 201},
        {"as": "read", "ids": [], "before": NOBODY},
        {"as": "read", "before": "x"},
        {"as": "read", "ids": [], "filter": {}},
    ],
    ids=lambda data: str(data)[:40],
)
def test_a_wrong_mark_is_400(browser, item, data):
    assert mark(browser, data).status_code == 400


def test_a_session_without_the_csrf_token_may_not_write(alice, item):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    assert patch(client, item, {"read": True}).status_code == 403
    assert mark(client, {"as": "read", "ids": [str(item.pk)]}).status_code == 403


def test_counts_are_capped_and_split_by_category(browser, alice, template):
    for _ in range(101):
        make_item(alice, template)
    make_item(alice, template, seen_at=timezone.now())
    make_item(alice, template, seen_at=timezone.now(), read_at=timezone.now())

    counts = browser.get(f"{URL}counts/").json()

    assert counts == {
        "unseen": 99,
        "unread": 99,
        "cap": 99,
        "by_category": {"orders": {"unseen": 99, "unread": 99}},
    }


def test_counts_of_a_small_inbox_are_exact(browser, alice, template):
    make_item(alice, template, created_at=timezone.now() - timedelta(days=400))
    make_item(alice, template, seen_at=timezone.now())

    assert browser.get(f"{URL}counts/").json() == {
        "unseen": 1,
        "unread": 2,
        "cap": 99,
        "by_category": {"orders": {"unseen": 1, "unread": 2}},
    }
