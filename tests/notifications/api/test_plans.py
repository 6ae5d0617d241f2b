"""What is asked most, at a size where it matters: by an index, whatever the inbox holds, and nothing counted in full."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import ids
from notifications.models import Notification
from tests.notifications.api.asking import URL, mark

#: Alice has a large inbox, most of it read, and a larger archive; others have theirs.
READ, UNREAD, ARCHIVED, OTHERS = 1500, 40, 2000, 1500


@pytest.fixture
def large(alice, template):
    now = timezone.now()
    others = get_user_model().objects.bulk_create(
        [get_user_model()(username=f"somebody-{number}") for number in range(30)]
    )

    def item(recipient, **changes):
        return Notification(
            event_id=ids.uuid7(), recipient=recipient, template=template, category=template.category, title="Order",
            created_at=now, listed_at=now, **changes,
        )  # fmt: skip

    read = {"seen_at": now, "read_at": now}
    Notification.objects.bulk_create(
        [item(others[number % 30], **(read if number % 3 else {})) for number in range(OTHERS)]
        + [item(alice, **read, archived_at=now) for _ in range(ARCHIVED)]
        + [item(alice, **read) for _ in range(READ)]
        + [item(alice) for _ in range(UNREAD)]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def plans_of(ask):
    """Return [(statement, its plan)] of what `ask` does to the inbox."""
    with CaptureQueriesContext(connection) as captured:
        assert ask().status_code == 200
    statements = [query["sql"] for query in captured if "notifications_notification" in query["sql"]]
    assert statements
    return [(statement, plan_of(statement)) for statement in statements]


def plan_of(statement):
    prefix = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(prefix + statement)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def reads_all(plan):
    """Tell whether the plan reads the whole inbox of everybody."""
    if connection.vendor == "sqlite":
        return any("SCAN" in line and "notification" in line and "INDEX" not in line for line in plan.splitlines())
    return "Seq Scan on notifications_notification" in plan


def deep_page(browser):
    url = f"{URL}?page_size=100"
    for _ in range(10):
        url = browser.get(url).json()["next"]
    return url


ASKED = {
    "the inbox": lambda browser: browser.get(URL),
    "its tenth page": lambda browser: browser.get(deep_page(browser)),
    "the archive": lambda browser: browser.get(f"{URL}?status=archived"),
    "what is unread": lambda browser: browser.get(f"{URL}?status=unread"),
    "what is snoozed": lambda browser: browser.get(f"{URL}?status=snoozed"),
    "the counts": lambda browser: browser.get(f"{URL}counts/"),
    "mark all as seen": lambda browser: mark(browser, {"as": "seen", "before": str(ids.uuid7())}),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_it_goes_by_an_index(browser, large, ask):
    for statement, plan in plans_of(lambda: ask(browser)):
        assert not reads_all(plan), f"{statement}\n\n{plan}"


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_nothing_is_counted_in_full(browser, large, ask):
    for statement, _ in plans_of(lambda: ask(browser)):
        assert "COUNT(" not in statement.upper() or "LIMIT 99" in statement


def test_without_its_index_the_test_would_tell(browser, large):
    """The plan of a statement that no index serves."""
    assert reads_all(plan_of("SELECT * FROM notifications_notification WHERE body = ''"))
