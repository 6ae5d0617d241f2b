"""The dashboard's figures, among many rows: by an index."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from notifications import ids
from notifications.models import Attempt, Delivery, Event
from notifications.services import failure_groups, monitor, recent
from notifications.services.statistics import Window
from notifications.types import EventState, Outcome
from tests.factories import make_template
from tests.plans import committed, plans_of, reads_all

pytestmark = pytest.mark.django_db

ROWS = 6_000


@pytest.fixture(scope="module")
def rows(django_db_setup, django_db_blocker):
    with committed(make_rows, django_db_blocker):
        yield


@pytest.fixture
def many(rows, monkeypatch):
    monkeypatch.setattr(recent, "NEWEST", 50)


def make_rows():
    """Most are sent; of a hundred one failed and one waits."""
    template = make_template("ORDER_CREATED")
    now = timezone.now()
    events, deliveries, attempts = [], [], []
    for number in range(ROWS):
        at = now - timedelta(seconds=ROWS - number)
        state, reason = {7: ("failed", "rejected"), 8: ("pending", "")}.get(number % 100, ("sent", ""))
        over = None if state == "pending" else at
        row = Delivery(
            id=ids.uuid7_at(at), event_id=ids.uuid7_at(at), template=template, channel=("email", "sms")[number % 2],
            address="a@example.com", state=state, reason=reason, priority=number % 4, created_at=at, due_at=at,
            finished_at=over,
        )  # fmt: skip
        deliveries.append(row)
        attempts.append(Attempt(delivery=row, number=1, started_at=at, duration=timedelta(0), outcome=Outcome.SENT))
        events.append(
            Event(
                id=row.event_id, template=template, recipients=["1"], created_at=at, due_at=at, finished_at=over,
                state={"sent": EventState.DISPATCHED}.get(state, state),
            )
        )  # fmt: skip
    Event.objects.bulk_create(events)
    Delivery.objects.bulk_create(deliveries)
    Attempt.objects.bulk_create(attempts)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="test_monitor asks SQLite, whatever the number of rows")
@pytest.mark.parametrize("table", ["notifications_delivery", "notifications_event", "notifications_attempt"])
def test_among_many_rows_every_figure_goes_by_an_index(many, table):
    def ask():
        monitor.forget()
        monitor.present(timezone.now())
        for window in Window:
            monitor.past(window, timezone.now())
        failure_groups.groups(now=timezone.now())

    read = [statement for statement, plan in plans_of(ask, table=table) if reads_all(plan, table=table)]

    assert read == []
