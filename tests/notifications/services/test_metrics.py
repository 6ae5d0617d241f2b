"""The figures as Prometheus reads them: parsed by its own parser."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from notifications import ids, realtime, wakeups
from notifications.models import Attempt, Pause
from notifications.pipeline import pausing
from notifications.services import backlog, metrics, recent
from notifications.services.metrics import Vitality
from notifications.types import Channel, DeliveryState, EventState, Outcome, PauseOrigin, PauseScope, Priority
from tests.factories import make_broadcast
from tests.notifications.pipeline.test_claiming import make_delivery, make_event
from tests.notifications.services.test_health import make_worker

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ROOT = Path(__file__).resolve().parents[3]
KINDS = {"event", "delivery", "failure", "attempt"}
LABELS = {
    "kind": KINDS,
    "priority": {"", *(priority.name.lower() for priority in Priority)},
    "channel": {"", *Channel.values},
    "outcome": {*EventState.values, *DeliveryState.values, *Outcome.values},
    "state": {*backlog.Waiting.values, *Vitality.values},
    "scope": set(PauseScope.values),
    "origin": set(PauseOrigin.values),
}


def families():
    return {family.name: family for family in text_string_to_metric_families(metrics.render(NOW).decode())}


def samples(name):
    """Return the samples of a metric: the values of their labels, without the empty ones, in order of name → value."""
    return {
        tuple(value for _, value in sorted(sample.labels.items()) if value): sample.value
        for family in families().values()
        for sample in family.samples
        if sample.name == f"notifications_{name}"
    }


def not_nought(name):
    return {labels: value for labels, value in samples(name).items() if value}


def claimed(**changes):
    return {"lease_token": uuid4(), "lease_until": NOW + timedelta(seconds=60), "claims": 1, **changes}


def make_attempt(delivery, *, ago, outcome=Outcome.SENT):
    started_at = NOW - timedelta(seconds=ago)
    return Attempt.objects.create(
        delivery=delivery, number=1, started_at=started_at, duration=timedelta(seconds=0.1), outcome=outcome
    )


def make_old(*, ago, **changes):
    """Return a delivery that was made some seconds ago."""
    created_at = NOW - timedelta(seconds=ago)
    return make_delivery(id=ids.uuid7_at(created_at), created_at=created_at, **changes)


def fill(template):
    """Write one row of everything."""
    for priority in Priority:
        make_event(template, priority=priority, due_at=NOW - timedelta(seconds=5))
        make_event(template, priority=priority, state=EventState.DISPATCHED)
    for channel in Channel:
        delivery = make_delivery(channel=channel, state=DeliveryState.SENT)
        make_delivery(channel=channel, state=DeliveryState.FAILED, last_error="alice@example.com unknown")
        make_attempt(delivery, ago=1)
        make_delivery(channel=channel, address="alice@example.com", due_at=NOW - timedelta(seconds=5))
    make_worker()


def test_the_oldest_due_row_comes_first_and_is_0_when_nothing_is_due(template):
    make_event(template, priority=Priority.URGENT, due_at=NOW - timedelta(seconds=7))
    make_event(template, priority=Priority.URGENT, due_at=NOW - timedelta(seconds=3))
    make_event(template, priority=Priority.LOW, due_at=NOW + timedelta(seconds=3))
    make_event(template, priority=Priority.HIGH, due_at=NOW - timedelta(days=3), state=EventState.FAILED)
    make_delivery(channel="sms", priority=Priority.LOW, due_at=NOW - timedelta(seconds=90))
    make_delivery(channel="sms", priority=Priority.HIGH, due_at=NOW - timedelta(days=3), state=DeliveryState.SENT)

    assert next(iter(families())) == "notifications_oldest_due_seconds"
    assert not_nought("oldest_due_seconds") == {("event", "urgent"): 7, ("sms", "delivery", "low"): 90}
    assert len(samples("oldest_due_seconds")) == 4 + 5 * 4


def test_what_waits_is_counted_by_what_it_waits_for(template):
    for priority in (Priority.HIGH, Priority.HIGH, Priority.LOW):
        make_event(template, priority=priority, due_at=NOW - timedelta(seconds=1))
    make_event(template, priority=Priority.HIGH, state=EventState.DISPATCHING, **claimed())
    make_event(template, priority=Priority.HIGH, state=EventState.DISPATCHED)
    for priority in (Priority.HIGH, Priority.LOW):
        make_delivery(channel="email", priority=priority, due_at=NOW + timedelta(hours=1))
    make_delivery(channel="sms", state=DeliveryState.SENDING, **claimed())

    assert not_nought("waiting") == {
        ("event", "high", "due"): 2,
        ("event", "high", "active"): 1,
        ("event", "low", "due"): 1,
        ("email", "delivery", "high", "delayed"): 1,
        ("email", "delivery", "low", "delayed"): 1,
        ("sms", "delivery", "normal", "active"): 1,
    }


def test_counting_what_waits_stops_at_a_limit(template, monkeypatch):
    monkeypatch.setattr(backlog, "COUNTED", 3)
    for _ in range(5):
        make_delivery(due_at=NOW - timedelta(seconds=1))

    assert samples("waiting")["email", "delivery", "normal", "due"] == 3


def test_a_lease_that_was_reclaimed_shows_until_the_row_is_put_down(template):
    make_event(template, due_at=NOW - timedelta(seconds=1), claims=1)
    make_delivery(state=DeliveryState.SENDING, **claimed(claims=2))
    make_delivery(state=DeliveryState.SENDING, **claimed(claims=1))
    make_delivery(due_at=NOW - timedelta(seconds=1))

    assert not_nought("leases_reclaimed") == {("event", "normal"): 1, ("email", "delivery", "normal"): 1}


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (PauseScope.EVERYTHING, ""),
        (PauseScope.TEMPLATE, "ORDER_CREATED"),
        (PauseScope.CATEGORY, "orders"),
        (PauseScope.CHANNEL, "sms"),
        (PauseScope.BACKEND, "notifications.channels.fake.FakeChannel"),
    ],
)
def test_what_a_pause_holds_is_not_late(template, fake_sms, scope, key):
    late = {"template": template, "due_at": NOW - timedelta(hours=1)}
    make_delivery(channel="sms", **late)
    make_delivery(channel="sms", **{**late, "template": None}, address="+4915550001001")
    make_event(**late)
    assert set(not_nought("waiting")) == {("event", "normal", "due"), ("sms", "delivery", "normal", "due")}

    Pause.objects.create(scope=scope, key=key, created_at=NOW)
    pausing.forget()

    by_channel = scope in {PauseScope.CHANNEL, PauseScope.BACKEND}
    by_template = scope in {PauseScope.TEMPLATE, PauseScope.CATEGORY}
    waiting = not_nought("waiting")
    assert (("event", "normal", "held") in waiting) == (not by_channel)
    assert waiting["sms", "delivery", "normal", "held"] == (1 if by_template else 2)
    late_lines = set(not_nought("oldest_due_seconds"))
    assert late_lines == {
        *([("event", "normal")] if by_channel else []),
        *([("sms", "delivery", "normal")] if by_template else []),
    }
    assert not_nought("pauses") == {("staff", scope.value): 1}


def test_what_a_pause_of_a_broadcast_holds_is_told_apart(template):
    held = make_broadcast(template)
    late = {"template": template, "due_at": NOW - timedelta(hours=1)}
    make_delivery(channel="sms", **late, broadcast_id=held.pk)
    make_delivery(channel="sms", **late)
    make_event(**late, broadcast=held)
    Pause.objects.create(scope=PauseScope.BROADCAST, key=str(held.pk), created_at=NOW)
    pausing.forget()

    waiting = not_nought("waiting")

    assert waiting["sms", "delivery", "normal", "held"] == 1
    assert waiting["sms", "delivery", "normal", "due"] == 1
    assert waiting["event", "normal", "held"] == 1


def test_a_pause_that_is_over_is_not_counted():
    Pause.objects.create(scope="channel", key="sms", created_at=NOW, until=NOW)
    Pause.objects.create(scope="channel", key="email", created_at=NOW, lifted_at=NOW)
    backend = {"scope": "backend", "key": "x.Y", "origin": PauseOrigin.BREAKER}
    Pause.objects.create(**backend, created_at=NOW, until=NOW + timedelta(minutes=1))

    assert not_nought("pauses") == {("breaker", "backend"): 1}


def test_the_events_of_lately_are_counted_by_how_they_ended(template):
    make_event(template, state=EventState.DISPATCHED, finished_at=NOW - timedelta(minutes=4))
    make_event(template, state=EventState.FAILED, finished_at=NOW - timedelta(minutes=1), priority=Priority.URGENT)
    make_event(template, state=EventState.DISPATCHED, finished_at=NOW - timedelta(minutes=6))

    assert not_nought("recent_events") == {("dispatched", "normal"): 1, ("failed", "urgent"): 1}


def test_the_deliveries_made_lately_are_counted_by_what_became_of_them():
    make_old(ago=10, state=DeliveryState.SENT)
    make_old(ago=20, state=DeliveryState.SENT)
    make_old(ago=30, channel="sms")
    make_old(ago=301, state=DeliveryState.SENT)

    assert not_nought("recent_deliveries") == {("email", "sent"): 2, ("sms", "pending"): 1}


def test_a_failure_counts_when_it_happens_whenever_the_delivery_was_made():
    make_old(ago=25_000, state=DeliveryState.FAILED, finished_at=NOW - timedelta(minutes=1))
    make_old(ago=100, state=DeliveryState.UNKNOWN, channel="sms", finished_at=NOW - timedelta(minutes=1))
    make_old(ago=26_000, state=DeliveryState.FAILED, finished_at=NOW - timedelta(minutes=6))

    assert not_nought("recent_failures") == {("email", "failed"): 1, ("sms", "unknown"): 1}


def test_the_tries_of_lately_are_counted_by_outcome():
    delivery = make_delivery(state=DeliveryState.SENT)
    make_attempt(delivery, ago=400, outcome=Outcome.TRANSIENT)
    make_attempt(delivery, ago=20, outcome=Outcome.TRANSIENT)
    make_attempt(delivery, ago=10)

    assert not_nought("recent_attempts") == {("email", "transient"): 1, ("email", "sent"): 1}


def test_the_latency_of_what_was_sent_lately_counts_from_its_making():
    for took in (0.2, 3, 7200):
        finished_at = NOW - timedelta(seconds=5)
        delivery = make_delivery(
            channel="sms",
            state=DeliveryState.SENT,
            created_at=finished_at - timedelta(seconds=took),
            finished_at=finished_at,
        )
        make_attempt(delivery, ago=6)
    make_attempt(make_delivery(channel="sms"), ago=6, outcome=Outcome.TRANSIENT)

    buckets = samples("recent_latency_seconds_bucket")

    assert [buckets["sms", le] for le in ("0.1", "0.25", "2.5", "5.0", "3600.0", "+Inf")] == [0, 1, 1, 2, 2, 3]
    assert samples("recent_latency_seconds_gcount") == {("sms",): 3}
    assert samples("recent_latency_seconds_gsum") == {("sms",): pytest.approx(7203.2)}


def test_a_flood_shortens_the_window_and_does_not_lengthen_the_answer(monkeypatch):
    monkeypatch.setattr(recent, "NEWEST", 3)
    delivery = make_old(ago=50, state=DeliveryState.SENT)
    for ago in (40, 30, 20, 10):
        make_attempt(delivery, ago=ago)

    assert not_nought("recent_attempts") == {("email", "sent"): 3}
    assert samples("recent_window_seconds") == {
        ("attempt",): 30,
        ("delivery",): 300,
        ("event",): 300,
        ("failure",): 300,
    }


def test_workers_are_alive_faulty_or_gone():
    make_worker(seen_at=NOW - timedelta(seconds=4))
    make_worker(seen_at=NOW - timedelta(seconds=2), fault="consumer of deliver_sms")
    make_worker(seen_at=NOW - timedelta(hours=1), fault="consumer of deliver_sms")

    assert samples("workers") == {("alive",): 1, ("faulty",): 1, ("gone",): 1}
    assert samples("heartbeat_age_seconds") == {(): 2}


def test_without_any_worker_there_is_no_age_of_a_heartbeat():
    assert samples("heartbeat_age_seconds") == {}
    assert samples("workers") == {("alive",): 0, ("faulty",): 0, ("gone",): 0}


def test_what_this_process_dropped_is_a_counter(monkeypatch):
    sender = wakeups._Sender(lambda *_: None)
    sender.dropped = 4
    monkeypatch.setattr(wakeups, "_sender", sender)

    family = families()["notifications_wakeups_dropped"]

    assert family.type == "counter"
    assert samples("wakeups_dropped_total") == {(): 4}


def test_live_messages_this_process_dropped_are_a_counter(monkeypatch):
    sender = realtime._Sender()
    sender.dropped = 3
    monkeypatch.setattr(realtime, "_sender", sender)

    assert samples("live_messages_dropped_total") == {(): 3}


def test_names_and_labels_follow_the_rules(template):
    fill(template)
    seen = set()

    for family in families().values():
        assert family.name.startswith("notifications_")
        assert not re.search(r"_(ms|minutes|hours|percent)(_|$)", family.name)
        assert family.documentation.endswith(".")
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")
            assert set(sample.labels) <= {*LABELS, "le"}
            series = (sample.name, *sorted(sample.labels.items()))
            assert series not in seen
            seen.add(series)


def test_the_values_of_labels_come_from_our_lists_and_nobodys_address_is_told(template):
    fill(template)

    for family in families().values():
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert label == "le" or value in LABELS[label], sample
    assert "example.com" not in metrics.render(NOW).decode()


def test_it_asks_the_same_number_of_statements_however_many_rows(template):
    pausing.forget()
    with CaptureQueriesContext(connection) as few:
        metrics.render(NOW)
    for _ in range(5):
        fill(template)
    pausing.forget()
    with CaptureQueriesContext(connection) as many:
        metrics.render(NOW)

    assert len(many) == len(few) < 25


def test_without_an_instant_the_clock_is_asked(template):
    make_event(template, due_at=timezone.now() - timedelta(seconds=100))

    assert 'kind="event",priority="normal"} 100' in metrics.render().decode()


def test_a_database_that_fails_halfway_is_told_and_takes_nothing_else_along(template):
    def fail(execute, sql, params, many, context):
        if "heartbeat" in sql:
            raise OperationalError
        return execute(sql, params, many, context)

    make_event(template, due_at=NOW - timedelta(seconds=7))
    assert samples("database_up") == {(): 1}
    with connection.execute_wrapper(fail):
        assert samples("database_up") == {(): 0}
        assert not_nought("oldest_due_seconds") == {("event", "normal"): 7}
        assert samples("clock_offset_seconds") == {(): 0}


def test_every_metric_has_its_row_in_the_documentation_and_no_other(template):
    fill(template)
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = page[page.index("## Health and metrics") :]
    names = set()
    for family in families().values():
        names.add(re.sub(r"_g(sum|count)$", "", family.name) + ("_total" if family.type == "counter" else ""))

    rows = set(re.findall(r"^\| `(notifications_\w+)", section, re.MULTILINE))
    used = set(re.findall(r"\b(notifications_\w+)", section))

    assert rows == names
    assert {re.sub(r"_(bucket|gcount|gsum)$", "", name) for name in used} <= names


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the planner goes by the size of the tables")
@pytest.mark.parametrize(
    ("ask", "indexes"),
    [
        (backlog.oldest_due, {"event_claim", "delivery_claim"}),
        (backlog.backlogs, {"event_claim", "delivery_claim", "event_reclaim", "delivery_reclaim"}),
        (recent.events, {"event_retention"}),
        (recent.deliveries, {"sqlite_autoindex_notifications_delivery_1"}),
        (recent.failures, {"delivery_failed"}),
    ],
    ids=["oldest due", "backlogs", "events", "deliveries", "failures"],
)
def test_every_figure_is_read_off_an_index(ask, indexes):
    pausing.current(NOW)
    asked = []

    def note(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        ask(NOW)
    plan = []
    for sql, params in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            plan += [row[3] for row in cursor.fetchall() if "notifications_" in row[3]]

    assert {index for line in plan for index in re.findall(r"INDEX (\w+)", line)} == indexes
    assert [line for line in plan if "INDEX" not in line] == []
