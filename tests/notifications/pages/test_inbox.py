"""The inbox by links and forms alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from notifications import registry
from notifications.exceptions import ActionRefused
from notifications.models import Notification, RecipientSettings
from notifications.services import inbox
from notifications.types import Priority
from tests.factories import make_item, make_template
from tests.notifications.pages.asking import URL, do, ids, text, told

#: A Wednesday.
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def test_a_stranger_is_asked_to_log_in_and_brought_back(client, db):
    assert client.get(f"{URL}?status=unread")["Location"] == "/admin/login/?next=/notifications/%3Fstatus%3Dunread"


def test_an_item_shows_what_there_is_to_know(browser, alice, template):
    make_item(
        alice, template, title="Hello", body="One\nTwo", action_url="/orders/1/", action_text="See it",
        priority=Priority.URGENT,
    )  # fmt: skip

    page = text(browser.get(URL))

    assert '<a href="/orders/1/">Hello</a>' in page
    assert '<a class="button first" href="/orders/1/">See it</a>' in page
    assert "One\nTwo" in page
    assert "<strong>Urgent</strong>" in page


def test_looking_changes_nothing(browser, item):
    before = Notification.objects.values().get()

    for path in (URL, f"{URL}?status=archived", f"{URL}{item.pk}/why/", f"{URL}preferences/"):
        assert browser.get(path).status_code == 200
    for path in (f"{URL}{item.pk}/", f"{URL}mark/", f"{URL}preferences/settings/"):
        assert browser.get(path).status_code == 405

    assert Notification.objects.values().get() == before


def test_every_tab_shows_its_part(browser, alice, template):
    now = timezone.now()
    read = {"seen_at": now, "read_at": now}
    unread, seen = make_item(alice, template), make_item(alice, template, **read)
    archived = make_item(alice, template, **read, archived_at=now)
    snoozed = make_item(alice, template, snoozed_until=now + timedelta(hours=1))
    other = make_item(alice, make_template("PAID", category="payments"), **read)

    assert ids(browser.get(URL)) == [str(other.pk), str(seen.pk), str(unread.pk)]
    assert ids(browser.get(f"{URL}?status=unread")) == [str(unread.pk)]
    assert ids(browser.get(f"{URL}?status=archived")) == [str(archived.pk)]
    assert ids(browser.get(f"{URL}?status=snoozed")) == [str(snoozed.pk)]
    assert ids(browser.get(f"{URL}?category=payments")) == [str(other.pk)]
    assert ids(browser.get(f"{URL}?category=payments&status=unread&utm_source=mail")) == []


def test_tabs_count_what_is_unread(browser, alice, template):
    for _ in range(3):
        make_item(alice, template)

    page = text(browser.get(f"{URL}?category=orders"))

    assert re.search(r'category=orders" aria-current="true">orders <b>3<', page)


def test_pages_drop_nothing_and_repeat_nothing(browser, alice, template):
    made = [str(make_item(alice, template).pk) for _ in range(60)]
    shown, url = [], URL

    while url:
        answer = browser.get(url)
        shown += ids(answer)
        url = answer.context["older"]

    assert shown == made[::-1]


@pytest.mark.parametrize(
    ("marks", "set_", "unset"),
    [
        (["read"], ["seen_at", "read_at"], ["archived_at"]),
        (["read", "unread"], ["seen_at"], ["read_at"]),
        (["archived"], ["seen_at", "read_at", "archived_at"], []),
        (["archived", "unarchived"], ["read_at"], ["archived_at"]),
    ],
    ids=str,
)
def test_an_items_buttons_mark_it(browser, item, marks, set_, unset):
    for mark in marks:
        answer = do(browser, item, "?status=unread&category=orders", mark=mark)
        assert answer.status_code == 302

    item.refresh_from_db()
    assert answer["Location"] == f"{URL}?status=unread&category=orders#item-{item.pk}"
    assert len(told(answer)) == len(marks)
    assert all(getattr(item, name) for name in set_)
    assert not any(getattr(item, name) for name in unset)


@pytest.mark.parametrize(
    ("choice", "until"),
    [
        ("in_an_hour", datetime(2026, 3, 4, 13, tzinfo=UTC)),
        ("this_evening", datetime(2026, 3, 4, 17, tzinfo=UTC)),
        ("tomorrow", datetime(2026, 3, 5, 8, tzinfo=UTC)),
        ("next_monday", datetime(2026, 3, 9, 8, tzinfo=UTC)),
    ],
)
def test_a_snooze_ends_by_the_persons_own_clock(browser, item, choice, until):
    RecipientSettings.objects.update(time_zone="Europe/Berlin")

    with time_machine.travel(NOON, tick=False):
        do(browser, item, snooze=choice)

    item.refresh_from_db()
    assert item.snoozed_until == until


def test_tomorrow_is_the_day_after_the_persons_today(browser, item):
    RecipientSettings.objects.update(time_zone="Europe/Berlin")

    with time_machine.travel(NOON.replace(hour=23, minute=30), tick=False):
        do(browser, item, snooze="tomorrow")

    item.refresh_from_db()
    assert item.snoozed_until == datetime(2026, 3, 6, 8, tzinfo=UTC)


def test_this_evening_is_no_choice_in_the_evening(browser, item):
    with time_machine.travel(NOON.replace(hour=17, minute=30), tick=False):
        page = text(browser.get(URL))
        answer = do(browser, item, snooze="this_evening")

    item.refresh_from_db()
    assert "This evening" not in page
    assert "another time" in told(answer)[0]
    assert item.snoozed_until is None


def test_what_is_snoozed_comes_back_by_its_button_and_no_other_way(browser, item):
    do(browser, item, snooze="tomorrow")
    told_first = told(do(browser, item, mark="read"))
    item.refresh_from_db()
    assert (item.read_at, "end the snooze first" in told_first[-1]) == (None, True)

    do(browser, item, snooze="end")

    item.refresh_from_db()
    assert item.snoozed_until is None


def test_deleted_is_gone(browser, item):
    do(browser, item, hide="1")

    assert not ids(browser.get(URL))
    assert do(browser, item, mark="read").status_code == 404


@pytest.fixture
def button():
    """A button that business code answers; refused when the body says so."""

    def answer(pressed):
        if Notification.objects.get(pk=pressed.notification_id).body == "lost":
            message = "This parcel is lost."
            raise ActionRefused(message)
        return "Thank you!"

    registry.inbox_action("page-arrived", text="It has arrived")(answer)
    yield "page-arrived"
    registry._answers.pop("page-arrived")


@pytest.fixture
def parcel(alice, template, button):
    return make_item(alice, template, actions=[{"name": button, "run_at": None, "result": ""}])


def test_a_button_is_pressed_once_and_shows_its_answer(browser, parcel, button):
    assert "It has arrived</button>" in text(browser.get(URL))

    for _ in range(2):
        assert do(browser, parcel, press=button).status_code == 302

    page = text(browser.get(URL))
    assert "It has arrived</button>" not in page
    assert "It has arrived: Thank you!" in page


def test_a_refused_button_says_why_and_can_be_pressed_again(browser, parcel, button):
    Notification.objects.update(body="lost")

    answer = do(browser, parcel, press=button)

    assert told(answer) == ["This parcel is lost."]
    assert "It has arrived</button>" in text(browser.get(URL))


def test_all_that_was_shown_is_marked_and_nothing_newer(browser, alice, template):
    shown = [make_item(alice, template) for _ in range(2)]
    before = browser.get(URL).context["newest"]
    newer = make_item(alice, template)

    answer = browser.post(f"{URL}mark/", {"mark": "read", "before": str(before)})

    assert told(answer) == ["Marked as read: 2."]
    assert ids(browser.get(f"{URL}?status=unread")) == [str(newer.pk)]
    assert inbox.of(alice).filter(read_at__isnull=False).count() == len(shown)


def test_all_that_is_read_of_a_category_is_archived(browser, alice, template):
    now = timezone.now()
    read = make_item(alice, template, seen_at=now, read_at=now)
    make_item(alice, make_template("PAID", category="payments"), seen_at=now, read_at=now)
    unread = make_item(alice, template)

    answer = browser.post(f"{URL}mark/?category=orders", {"mark": "archived", "before": str(unread.sort_key)})

    assert answer["Location"] == f"{URL}?category=orders"
    assert ids(browser.get(f"{URL}?status=archived")) == [str(read.pk)]


def test_why_is_told_in_lines(browser, item):
    page = browser.get(f"{URL}{item.pk}/why/")

    assert page.status_code == 200
    assert "Order ORD-1" in text(page)


def test_a_link_past_the_front_door_leads_nowhere(browser, alice, template):
    make_item(alice, template, action_url="javascript:alert(1)", action_text="Look", title="<script>alert(1)</script>")

    raw = browser.get(URL).content.decode()

    assert "javascript:" not in raw
    assert "<script>alert" not in raw
    assert "&lt;script&gt;alert(1)" in raw


def test_a_form_without_its_token_does_nothing(alice, item):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    assert do(client, item, mark="read").status_code == 403
    item.refresh_from_db()
    assert item.read_at is None


def test_the_number_of_queries_does_not_grow(browser, alice, template, django_assert_num_queries):
    make_item(alice, template)
    with django_assert_num_queries(6):
        browser.get(URL)

    for _ in range(20):
        make_item(alice, make_template(f"T{Notification.objects.count()}", category=f"c{Notification.objects.count()}"))
    with django_assert_num_queries(6):
        browser.get(URL)
