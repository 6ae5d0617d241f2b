"""Events, notifications, deliveries and broadcasts: found fast, read-only."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from notifications import ids
from notifications.admin.cells import masked
from notifications.models import Broadcast, Delivery, Event, Notification, WorkerHeartbeat
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_batch_notification, publish_notification
from notifications.types import Priority

LOGS = ["event", "notification", "delivery", "broadcast"]
VARIABLES = {"order_number": "ORD-1"}


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


@pytest.fixture
def event(template, alice, bob):
    """An event about an order, for Alice and Bob, dispatched and mailed."""
    batch = publish_batch_notification(
        "ORDER_CREATED", recipients=[alice, bob], variables=VARIABLES, about="orders.order:42", idempotency_key="key-1"
    )
    dispatch()
    deliver_batch("email", more=lambda: None)
    return Event.objects.get(pk=batch.event_ids[0])


@pytest.fixture
def broadcast(template, django_user_model):
    """A publication for 120."""
    people = django_user_model.objects.bulk_create(django_user_model(username=f"user-{n}") for n in range(120))
    publish_batch_notification("ORDER_CREATED", recipients=people, variables=VARIABLES)
    return Broadcast.objects.get()


def link(page, rel):
    """Return where a page leads on or back to."""
    (address,) = re.findall(rf'rel="{rel}" href="([^"]+)"', page.text)
    return html.unescape(address)


def pks(page):
    return re.findall(r"/([0-9a-f-]{36})/change/", page.text)


def permission(codename):
    """Return a permission; those of ours exist once a migration made them."""
    kind = ContentType.objects.get_for_model(Delivery)
    return Permission.objects.get_or_create(codename=codename, content_type=kind, defaults={"name": codename})[0]


def rows(page):
    return len(re.findall(r'<th class="field-created_at', page.text))


def test_an_event_leads_to_its_notifications_and_deliveries(admin_client, event, address):
    page = admin_client.get(address("event", "change", event.pk))
    links = re.findall(r'href="([^"]+\?event_id__exact=[^"]+)"', page.text)
    notifications, deliveries = (admin_client.get(link) for link in links)
    delivery = Delivery.objects.filter(channel="email", recipient__username="alice").get()
    delivery_page = admin_client.get(address("delivery", "change", delivery.pk))

    assert "1 pending, 4 sent, 1 suppressed" in page.text
    assert "alice</a>, <a" in page.text
    assert (rows(notifications), rows(deliveries)) == (2, 6)
    assert address("event", "change", event.pk) in delivery_page.text
    assert address("notification", "change", delivery.notification_id) in delivery_page.text


def test_a_suppressed_delivery_says_why_in_words(admin_client, event, address):
    delivery = Delivery.objects.get(channel="sms", recipient__username="bob")

    for here in (address("delivery", "changelist"), address("delivery", "change", delivery.pk)):
        assert "the recipient has no address on this channel" in admin_client.get(here).text


def test_a_notification_shows_its_deliveries_and_hides_its_words(admin_client, event, address):
    notification = Notification.objects.get(recipient__username="alice")

    page = admin_client.get(address("notification", "change", notification.pk))

    assert "a***@example.com" in page.text
    assert "We have it." not in page.text


@pytest.mark.parametrize(("model", "secret"), [("event", "ORD-1"), ("notification", "We have it.")])
def test_what_is_personal_is_shown_to_who_may_see_it_and_that_is_recorded(log_in, event, address, model, secret):
    row = event if model == "event" else Notification.objects.get(recipient__username="alice")
    client = log_in(f"view_{model}")
    reveal = address(model, "reveal", row.pk)

    hidden, refused = client.get(address(model, "change", row.pk)), client.post(reveal)
    client.staff.user_permissions.add(permission("reveal_delivery"))
    button = client.get(address(model, "change", row.pk))
    asked, shown = client.get(reveal), client.post(reveal)

    assert secret not in hidden.text
    assert reveal not in hidden.text
    assert refused.status_code == 403
    assert reveal in button.text
    assert asked.status_code == 405
    assert secret in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    assert list(LogEntry.objects.values_list("user", "object_id")) == [(client.staff.pk, str(row.pk))]


def test_addresses_are_masked_in_lists(admin_client, event, address):
    page = admin_client.get(address("delivery", "changelist"))

    assert "a***@example.com" in page.text
    assert "+49***01" in page.text
    assert "alice@example.com" not in page.text


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("", ""),
        ("alice@example.com", "a***@example.com"),
        ("@", "***@"),
        ("+4915550001001", "+49***01"),
        ("12345", "***"),
        ("https://me:secret@hooks.example.com/T00/B00", "https://hooks.example.com/***"),
        ("https://[broken/secret@x", "https://[broken/***"),
    ],
)
def test_a_masked_address_cannot_be_used(plain, shown):
    assert masked(plain) == shown


@pytest.mark.parametrize("model", ["event", "notification", "delivery"])
def test_what_is_searched_for_in_a_list_is_looked_for_everywhere(admin_client, event, address, model):
    page = admin_client.get(address(model, "changelist"), {"q": "alice@example.com"}, follow=True)

    assert "Timeline of alice" in page.text


def test_a_broadcast_leads_to_its_events(admin_client, broadcast, address):
    dispatch()

    found = admin_client.get(address("broadcast", "changelist"), {"q": str(broadcast.pk)})
    page = admin_client.get(address("broadcast", "change", broadcast.pk))
    (link,) = re.findall(r'href="([^"]+/event/\?broadcast__exact=[^"]+)"', page.text)
    events = admin_client.get(link)

    deliveries = admin_client.get(address("delivery", "changelist"), {"broadcast__exact": str(broadcast.pk)})
    offered = re.findall(r'<option value="([^"]+)">ORDER_CREATED \d{4}-', deliveries.text)

    assert rows(found) == 1
    assert rows(deliveries) == 50
    assert offered == [str(broadcast.pk)]
    assert f"broadcast__exact={broadcast.pk}" in page.text
    assert "3 dispatched" in page.text
    assert rows(events) == 3


@pytest.mark.parametrize("model", LOGS)
def test_logs_are_read_only(admin_client, event, broadcast, address, model):
    table = apps.get_model("notifications", model)._default_manager
    pk = table.values_list("pk", flat=True).first()
    before = list(table.values())

    change = address(model, "change", pk)
    answers = [
        admin_client.get(address(model, "add")),
        admin_client.post(address(model, "add"), {}),
        admin_client.post(change, {"state": "failed", "address": "x@example.com"}),
        admin_client.post(address(model, "delete", pk), {"post": "yes"}),
    ]
    selected = {"action": "delete_selected", "_selected_action": str(pk), "post": "yes"}
    admin_client.post(address(model, "changelist"), selected)

    assert admin_client.get(change).status_code == 200
    assert [answer.status_code for answer in answers] == [403] * 4
    assert list(table.values()) == before


@pytest.mark.parametrize("model", LOGS)
def test_staff_without_rights_see_no_log(log_in, event, address, model):
    client = log_in("view_template")

    assert client.get(address(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", ["event", "notification", "delivery"])
def test_a_list_neither_counts_nor_reads_more_for_more_rows(
    admin_client, event, address, model, alice, django_assert_num_queries
):
    here = address(model, "changelist")
    admin_client.get(here)
    # PostgreSQL is given a time limit, in a transaction of its own.
    limiting = 4 if connection.vendor == "postgresql" else 0
    with django_assert_num_queries(limiting + {"event": 5, "notification": 5, "delivery": 5}[model]) as before:
        admin_client.get(here)
    for _ in range(60):
        publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)
    dispatch()

    with django_assert_num_queries(len(before)) as after:
        page = admin_client.get(here)

    assert rows(page) == 50
    assert 'rel="next"' in page.text
    assert not [query for query in after.captured_queries if "COUNT(" in query["sql"]]


def test_pages_follow_one_another_and_stay_as_they_are_when_more_comes(admin_client, broadcast, address, alice):
    dispatch()
    here = address("notification", "changelist")

    first = admin_client.get(here)
    second = admin_client.get(here + link(first, "next"))
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)
    dispatch()
    again = admin_client.get(here + link(first, "next"))
    third = admin_client.get(here + link(second, "next"))
    back = admin_client.get(here + link(second, "prev"))

    assert [rows(page) for page in (first, second, third)] == [50, 50, 20]
    assert pks(second) == pks(again)
    assert pks(back) == pks(first)
    assert len({*pks(first), *pks(second), *pks(third)}) == 120
    assert 'rel="next"' not in third.text
    assert 'rel="prev"' not in first.text


def test_a_page_asks_on_for_what_was_asked_for(admin_client, broadcast, address):
    dispatch()
    here = address("delivery", "changelist")

    page = admin_client.get(here, {"state__exact": "sent", "channel__exact": "in_app", "priority__exact": ""})
    after = admin_client.get(here + link(page, "next"))

    assert (rows(page), rows(after)) == (50, 50)
    shown = Delivery.objects.filter(pk__in=[*pks(page), *pks(after)])
    assert set(shown.values_list("state", "channel")) == {("sent", "in_app")}
    assert not {*pks(page)} & {*pks(after)}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"state__exact": "sent"}, 4), ({"state__exact": "suppressed", "reason__exact": "no_address"}, 1),
        ({"channel__exact": "sms"}, 2), ({"template__exact": "ORDER_CREATED"}, 6), ({"priority__exact": "2"}, 6),
        ({"priority__exact": "0"}, 0), ({"since": "2020-01-01T00:00"}, 6), ({"until": "2020-01-01T00:00"}, 0),
        ({"state__exact": "failed"}, 0), ({"state__exact": "", "since": ""}, 6),
        ({"broadcast__exact": "00000000-0000-7000-8000-000000000000"}, 0), ({"about__exact": "orders.order:42"}, 6),
    ],
    ids=str,
)  # fmt: skip
def test_a_list_shows_what_is_asked_for(admin_client, event, address, asked, found):
    assert rows(admin_client.get(address("delivery", "changelist"), asked)) == found


def test_what_cannot_be_asked_for_is_said_at_its_field(admin_client, event, address):
    page = admin_client.get(address("delivery", "changelist"), {"since": "yesterday", "state__exact": "nothing"})

    assert "A time looks like 2026-03-01T12:00." in page.text
    assert "nothing is not one of the available choices" in page.text
    assert rows(page) == 0


def test_show_all_never_shows_more_than_a_page(admin_client, broadcast, address):
    dispatch()

    assert rows(admin_client.get(address("notification", "changelist"), {"all": ""})) == 50


def test_an_event_for_somebody_who_cannot_be_is_still_shown(admin_client, template, address):
    now = timezone.now()
    event = Event.objects.create(template=template, recipients=["9" * 30, "x", "77"], created_at=now, due_at=now)

    page = admin_client.get(address("event", "change", event.pk))

    assert "77 (unknown)" in page.text


def test_what_outlived_its_event_and_its_recipient_is_still_shown(admin_client, event, address):
    get_user_model().objects.filter(username="alice").delete()
    Event.objects.all().delete()
    delivery = Delivery.objects.filter(channel="email", recipient=None).get()

    assert admin_client.get(address("delivery", "change", delivery.pk)).status_code == 200
    assert admin_client.get(address("delivery", "changelist")).status_code == 200
    gone = admin_client.get(address("event", "change", UUID(int=1)), follow=True)
    assert "doesn’t exist. Perhaps it was deleted?" in gone.text


def test_the_tasks_of_dramatiq_have_no_page(admin_client):
    page = admin_client.get(reverse("admin:index"))

    assert "django_dramatiq" not in page.text
    assert admin_client.get("/admin/django_dramatiq/task/").status_code == 404


def test_the_workers_are_listed_and_the_dead_ones_stand_out(admin_client, address):
    now = timezone.now()
    for process, age, fault in ((1, 1, ""), (2, 60, ""), (3, 1, "consumer of deliver_email")):
        WorkerHeartbeat.objects.create(
            id=ids.uuid7(), host="web-1", process=process, threads=10, started_at=now,
            seen_at=now - timedelta(seconds=age), fault=fault,
        )  # fmt: skip

    page = admin_client.get(address("workerheartbeat", "changelist"), {"q": "web"})

    alive = {"check_small": "yes", "close_small": "no"}
    found = re.findall(r"field-process.*?(\d)\s*<.*?(check_small|close_small)", page.text, re.DOTALL)
    assert {process: alive[icon] for process, icon in found} == {"1": "yes", "2": "no", "3": "no"}
    assert "consumer of deliver_email" in page.text
