"""The dashboard's figures: right, bounded, and asked for once however many look."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import ids
from notifications.maintenance import rollup
from notifications.models import WorkerHeartbeat
from notifications.pipeline import pausing
from notifications.services import monitor, pauses, wakeups_waiting, workload
from notifications.services.statistics import Window
from notifications.services.workload import Load
from notifications.types import DeliveryState, EventState, PauseScope, Priority
from tests.notifications.pipeline.test_claiming import make_delivery, make_event
from tests.plans import plans_of, reads_all

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def present(now=None):
    monitor.forget()
    return monitor.present(now or timezone.now())


def load(found, channel, priority=Priority.NORMAL):
    return next(queue for queue in found.queues if queue.channel == channel).by_priority[priority]


def test_the_oldest_due_is_named_for_each_priority_and_what_is_held_is_not_late(template):
    now = timezone.now()
    make_event(template, priority=Priority.URGENT, due_at=now - MINUTE)
    make_delivery(channel="sms", priority=Priority.URGENT, due_at=now - 2 * MINUTE)
    make_event(template, priority=Priority.LOW, due_at=now - MINUTE)
    make_delivery(priority=Priority.HIGH, due_at=now - MINUTE)
    pauses.pause(PauseScope.CHANNEL, "email", now=now)

    late = {row.priority: (row.seconds, row.channel) for row in present(now).lateness}

    assert late[Priority.URGENT] == (120, "sms")
    assert late[Priority.LOW] == (60, None)
    assert late[Priority.HIGH][0] == late[Priority.NORMAL][0] == 0


def test_each_stage_has_its_queue(template):
    now = timezone.now()
    make_event(template, due_at=now)
    make_event(template, state=EventState.DISPATCHED)
    make_delivery(due_at=now)
    make_delivery(due_at=now + MINUTE)
    make_delivery(channel="sms", due_at=now)
    make_delivery(state=DeliveryState.SENDING, lease_token=uuid4(), lease_until=now + MINUTE)
    for state in (DeliveryState.SENT, DeliveryState.DIGESTED, DeliveryState.FAILED, DeliveryState.CANCELLED):
        make_delivery(state=state)
    pauses.pause(PauseScope.CHANNEL, "sms", now=now)
    rollup.run_once(timezone.now(), 1)

    found = present(now)

    assert load(found, None) == Load(due=1, completed=1)
    assert load(found, "email") == Load(due=1, delayed=1, active=1, completed=2, failed=1)
    assert load(found, "sms") == Load(held=1)
    assert found.load == Load(due=2, delayed=1, active=1, held=1, completed=3, failed=1)
    assert [queue.channel for queue in found.queues] == [None, "in_app", "email", "sms"]


def test_a_channel_that_was_taken_out_is_shown_while_it_has_work():
    make_delivery(channel="chat")

    assert "chat" in [queue.channel for queue in present().queues]


def test_counting_stops_and_says_so(monkeypatch):
    monkeypatch.setattr("notifications.services.backlog.COUNTED", 2)
    monkeypatch.setattr(workload, "COUNTED", 2)
    for _ in range(3):
        make_delivery()

    assert load(present(), "email") == Load(due=2, at_least=True)


def test_workers_are_alive_faulty_or_gone():
    now = timezone.now()
    for process, (seen, fault) in enumerate([(2, ""), (3, "1 of 10 worker threads"), (90, "")]):
        WorkerHeartbeat.objects.create(
            id=ids.uuid7(),
            host="w",
            process=process,
            threads=10,
            started_at=now,
            seen_at=now - timedelta(seconds=seen),
            fault=fault,
        )

    assert [(worker.name, worker.alive, worker.silent) for worker in present(now).workers] == [
        ("w:0", True, 2),
        ("w:1", True, 3),
        ("w:2", False, 90),
    ]


def test_ten_dashboards_cost_one():
    now = timezone.now()
    monitor.forget()
    monitor.present(now), monitor.past(Window.WEEK, now)

    with CaptureQueriesContext(connection) as queries:
        for _ in range(10):
            monitor.present(timezone.now()), monitor.past(Window.WEEK, timezone.now())

    assert len(queries) == 0


def test_it_costs_the_same_whatever_there_is(template):
    numbers = []
    for number in (1, 20):
        for _ in range(number):
            make_event(template)
            make_delivery()
        monitor.forget()
        pausing.forget()
        with CaptureQueriesContext(connection) as queries:
            monitor.present(timezone.now())
        numbers.append(len(queries))

    assert numbers[0] == numbers[1] <= 14


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the planner goes by the size of the tables")
@pytest.mark.parametrize("table", ["notifications_delivery", "notifications_event", "notifications_notification"])
def test_no_figure_reads_a_whole_table(table):
    def ask():
        monitor.forget()
        monitor.present(timezone.now())
        for window in Window:
            monitor.past(window, timezone.now())

    if table == "notifications_notification":
        with CaptureQueriesContext(connection) as captured:
            ask()
        assert not [query for query in captured if table in query["sql"]]
        return
    for statement, plan in plans_of(ask, table=table):
        assert not reads_all(plan, table=table), statement


def test_a_broker_that_does_not_answer_is_one_of_the_answers(monkeypatch):
    def fail(broker):
        raise ConnectionError(broker)

    monkeypatch.setattr(wakeups_waiting, "_ask", fail)

    found = wakeups_waiting.depth()

    assert (found.fault, found.queues) == ("ConnectionError", ())


def test_the_broker_names_every_queue_of_ours():
    names = [queue.name for queue in wakeups_waiting.depth().queues]

    assert names[:5] == ["dispatch_urgent", "dispatch_high", "dispatch_normal", "dispatch_low", "expand_broadcast"]
    assert "deliver_email" in names
