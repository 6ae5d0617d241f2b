"""What is asked most, at a size where it matters: by an index, whatever the inbox holds, and nothing counted in full."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from notifications import ids
from notifications.models import Notification
from tests.factories import make_person, make_template
from tests.notifications.api.asking import URL, mark
from tests.plans import committed, drop_index, plan_of, plans_of, reads_all, sorts

#: Alice has an inbox, most of it read, and an archive. Others have theirs, so that one row of a hundred is hers.
READ, UNREAD, ARCHIVED, OTHERS = 60, 30, 90, 8000
TABLE = Notification._meta.db_table


@pytest.fixture(scope="module")
def large(django_db_setup, django_db_blocker):
    with committed(make_inboxes, django_db_blocker):
        yield


@pytest.fixture
def alice(large, db):
    return get_user_model().objects.get(username="alice")


def make_inboxes():
    alice, template = make_person("alice", phone="+4915550001001"), make_template("ORDER_CREATED")
    now = timezone.now()
    others = get_user_model().objects.bulk_create(
        [get_user_model()(username=f"somebody-{number}") for number in range(50)]
    )

    def item(recipient, **changes):
        return Notification(
            event_id=ids.uuid7(), recipient=recipient, template=template, category=template.category, title="Order",
            created_at=now, listed_at=now, **changes,
        )  # fmt: skip

    read = {"seen_at": now, "read_at": now}
    archived = read | {"archived_at": now}
    hers = [archived] * ARCHIVED + [read] * READ + [{}] * UNREAD
    items = [item(others[number % 50], **(archived, read, archived, read, {})[number % 5]) for number in range(OTHERS)]
    # Scattered among the others', as they come.
    step = OTHERS // len(hers)
    for number, changes in enumerate(hers):
        items.insert(number * (step + 1), item(alice, **changes))
    Notification.objects.bulk_create(items)


def asked(ask):
    """Return the statements about notifications, with their plans, of a request that succeeds."""

    def succeed():
        assert ask().status_code == 200

    return plans_of(succeed, table=TABLE)


def deep_page(browser):
    url = f"{URL}?page_size=5"
    for _ in range(10):
        url = browser.get(url).json()["next"]
    return url


ASKED = {
    "the inbox": lambda browser: browser.get(f"{URL}?page_size=5"),
    "its tenth page": lambda browser: browser.get(deep_page(browser)),
    "the archive": lambda browser: browser.get(f"{URL}?page_size=5&status=archived"),
    "what is unread": lambda browser: browser.get(f"{URL}?page_size=5&status=unread"),
    "what is snoozed": lambda browser: browser.get(f"{URL}?status=snoozed"),
    "the counts": lambda browser: browser.get(f"{URL}counts/"),
    "mark all as seen": lambda browser: mark(browser, {"as": "seen", "before": str(ids.uuid7())}),
    "mark all as read": lambda browser: mark(browser, {"as": "read", "before": str(ids.uuid7())}),
}
#: Pages that come out of their index in the order they are shown.
LISTED = {
    "the inbox": "notification_current",
    "its tenth page": "notification_current",
    "the archive": "notification_archive",
    "what is unread": "notification_unread_list",
}
#: What has to do with what is unread alone, however much is read.
OF_UNREAD = ["the counts", "mark all as seen", "mark all as read"]


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_it_goes_by_an_index_counts_to_99_and_skips_no_rows(browser, large, ask):
    for statement, plan in asked(lambda: ask(browser)):
        assert not reads_all(plan, table=TABLE), f"{statement}\n\n{plan}"
        assert "COUNT(" not in statement.upper() or "LIMIT 99" in statement
        assert "OFFSET" not in statement.upper()


@pytest.mark.parametrize(("name", "index"), LISTED.items(), ids=LISTED)
def test_a_page_is_read_off_its_index_in_order(browser, large, name, index):
    for statement, plan in asked(lambda: ASKED[name](browser)):
        assert index in plan, f"{statement}\n\n{plan}"
        assert not sorts(plan), f"{statement}\n\n{plan}"


@pytest.mark.parametrize("name", OF_UNREAD)
def test_what_is_read_is_not_looked_at_to_find_what_is_unread(browser, large, name):
    for statement, plan in asked(lambda: ASKED[name](browser)):
        if statement.startswith(f'UPDATE "{TABLE}"') or "COUNT(" in statement:
            assert "notification_unread" in plan, f"{statement}\n\n{plan}"
        elif statement.startswith("UPDATE"):
            assert '"read_at" IS NULL' in statement


def test_without_its_index_a_page_would_be_collected(browser, large):
    """The tests above can tell: no other index serves the list of what is unread."""
    drop_index("notification_unread_list")

    for _, plan in asked(lambda: ASKED["what is unread"](browser)):
        assert "notification_unread_list" not in plan


def test_what_no_index_serves_is_told(browser, large):
    plan = plan_of(str(Notification.objects.filter(priority=7).order_by("title").query))

    assert reads_all(plan, table=TABLE)
    assert sorts(plan)
