"""What staff ask of the logs, among many rows: by an index, or by as many of the newest rows as a page may look at."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from notifications import ids
from notifications.models import Broadcast, Delivery, Event, Notification
from notifications.services import find, keyset, logs, timeline
from notifications.services.keyset import Cursor
from notifications.services.logs import Asked
from notifications.types import DeliveryState, EventState
from tests.factories import make_broadcast, make_person, make_template
from tests.notifications.pipeline.test_claiming import make_delivery
from tests.plans import committed, drop_index, plans_of, reads_all, sorts

pytestmark = pytest.mark.django_db

only_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans by other rules")

ROWS, LOOKED_AT = 8_000, 300
DELIVERIES, EVENTS, NOTIFICATIONS = (model._meta.db_table for model in (Delivery, Event, Notification))


@pytest.fixture(scope="module")
def rows(django_db_setup, django_db_blocker):
    with committed(make_rows, django_db_blocker) as broadcast:
        yield broadcast


@pytest.fixture
def many(rows, monkeypatch):
    """The broadcast among many rows; of which a page may look at few."""
    monkeypatch.setattr(keyset, "SWEPT", LOOKED_AT)
    return rows


@pytest.fixture
def alice(rows, db):
    return get_user_model().objects.get(username="alice")


def make_rows():
    """Most are sent; of a hundred, one failed, one waits, and one was called back. Return the broadcast among them."""
    template = make_template("ORDER_CREATED")
    alice, bob = make_person("alice", phone="+4915550001001"), make_person("bob", locale="de-AT")
    make_template("RARE")
    now = timezone.now()
    broadcast = make_broadcast(template, created_at=now - timedelta(seconds=2200))
    rare = {7: ("failed", "rejected"), 8: ("pending", "retry"), 9: ("cancelled", "event_cancelled")}
    items, deliveries, events = [], [], []
    for number in range(ROWS):
        at = now - timedelta(seconds=ROWS - number)
        state, reason = rare.get(number % 100, ("sent", ""))
        user = alice if number % 200 == 0 else bob
        item = Notification(
            id=ids.uuid7_at(at), event_id=ids.uuid7_at(at), recipient=user, template=template,
            category=template.category, about=f"orders.order:{number}", created_at=at,
        )  # fmt: skip
        over = None if state == "pending" else at
        deliveries.append(
            Delivery(
                id=ids.uuid7_at(at), event_id=item.event_id, notification=item, recipient=user, template=template,
                channel=("email", "sms")[number % 2], address="a@example.com", state=state, reason=reason,
                priority=number % 4, created_at=at, due_at=at, finished_at=over, provider_message_id=f"m-{number}",
                broadcast_id=broadcast.pk if number > ROWS - 2000 else None,
            )
        )  # fmt: skip
        failed = EventState.FAILED if state == "failed" else EventState.DISPATCHED
        events.append(
            Event(
                id=item.event_id, template=template, recipients=[str(user.pk)], created_at=at, due_at=at, state=failed,
                finished_at=at, about=item.about, idempotency_key=f"key-{number}",
            )
        )  # fmt: skip
        items.append(item)
    Notification.objects.bulk_create(items, batch_size=2000)
    Delivery.objects.bulk_create(deliveries, batch_size=2000)
    Event.objects.bulk_create(events, batch_size=2000)
    return broadcast


FILTERS: dict[str, list] = {
    "state": ["failed", "pending", "cancelled", "sent", "suppressed"],
    "reason": ["rejected", "frequency_cap"],
    "channel": ["email", "chat"],
    "template": ["ORDER_CREATED", "RARE"],
    "priority": [0],
}


def questions():
    """Return each filter, and each pair of them, with and without a time."""
    single = [{name: value} for name, values in FILTERS.items() for value in values]
    pairs = [{**one, **other} for one, other in product(single, single) if [*one] < [*other]]
    return [{}, *single, *pairs]


def show(model, **asked):
    """Read the first page, and one in the middle."""
    wanted = Asked(**asked)
    for cursor in (Cursor(), Cursor(before=ids.uuid7_at(timezone.now() - timedelta(seconds=ROWS // 2)))):
        keyset.page(logs.rows(model, wanted), cursor, size=50, swept=logs.swept(model, wanted))


def test_no_filter_of_deliveries_nor_pair_of_them_reads_the_table(many):
    now = timezone.now()
    times = [{}, {"since": now - timedelta(seconds=5000), "until": now - timedelta(seconds=100)}]
    for asked, time in product(
        [*questions(), {"broadcast": many.pk}, {"broadcast": many.pk, "state": "failed"}], times
    ):
        for statement, plan in plans_of(lambda: show(Delivery, **asked, **time), table=DELIVERIES):  # noqa: B023
            assert not reads_all(plan, table=DELIVERIES), f"{asked}\n{statement}\n\n{plan}"


@only_postgresql
def test_the_states_that_staff_look_for_are_read_off_their_index_in_order(many):
    # Of those that failed, there is an index by when they failed, too; among few rows either will do.
    for state in logs.INDEXED[Delivery] - {DeliveryState.SENDING, DeliveryState.FAILED, DeliveryState.UNKNOWN}:
        for _statement, plan in plans_of(lambda: show(Delivery, state=state), table=DELIVERIES):  # noqa: B023
            assert "delivery_state" in plan
            assert not sorts(plan)


@only_postgresql
def test_without_that_index_they_would_be_looked_for_among_all(many):
    drop_index("delivery_state")

    plans = plans_of(lambda: show(Delivery, state="cancelled"), table=DELIVERIES)

    assert any(reads_all(plan, table=DELIVERIES) or "pkey" in plan for _, plan in plans)


ELSEWHERE = [
    *((Notification, NOTIFICATIONS, asked) for asked in (
        {}, {"template": "RARE"}, {"template": "ORDER_CREATED", "priority": 1}, {"category": "orders"},
    )),
    *((Event, EVENTS, asked) for asked in (
        {}, {"state": "failed"}, {"state": "failed", "template": "RARE"}, {"state": "pending"}, {"source": "api"},
        {"priority": 1},
    )),
]  # fmt: skip


def test_no_filter_of_the_other_logs_reads_their_table(many):
    for model, table, asked in ELSEWHERE:
        for statement, plan in plans_of(lambda: show(model, **asked), table=table):  # noqa: B023
            assert not reads_all(plan, table=table), f"{asked}\n{statement}\n\n{plan}"


def test_neither_the_timeline_nor_the_box_reads_a_table(many, alice):
    key = str(Event.objects.order_by("pk").values_list("pk", flat=True)[77])

    def ask():
        page = timeline.of_user(alice, Cursor())
        timeline.of_user(alice, page.older or Cursor())
        timeline.of_address("nobody@example.com", Cursor())
        for term in (key, "key-5", "orders.order:5", "m-5", "nobody@example.com"):
            find.find(term)

    for table in (DELIVERIES, EVENTS, NOTIFICATIONS):
        for statement, plan in plans_of(ask, table=table):
            assert not reads_all(plan, table=table), f"{statement}\n\n{plan}"


def test_what_is_asked_for_is_what_comes(many):
    now = timezone.now()
    wanted = [make_delivery(state="failed", channel="chat") for _ in range(2)]
    make_delivery(state="failed")
    make_delivery(channel="chat")
    make_delivery(state="failed", channel="chat", id=ids.uuid7_at(now - timedelta(days=1)))

    found = logs.rows(Delivery, Asked(state="failed", channel="chat", since=now - timedelta(hours=1)))

    assert set(found) == set(wanted)


def test_of_a_broadcast_only_its_time_is_looked_at(many):
    Broadcast.objects.update(completed_at=timezone.now())

    swept = logs.swept(Delivery, Asked(broadcast=many.pk))

    assert swept is not None
    assert 2000 < swept.count() < 2600
    assert logs.rows(Delivery, Asked(broadcast=many.pk)).count() == 1999
