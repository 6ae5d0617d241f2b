"""Readiness: each thing that has to be right, and what is said when it is not."""

from __future__ import annotations

import socket
import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import ids
from notifications.models import Digest, Pause, WorkerHeartbeat
from notifications.pipeline import pausing
from notifications.services import health, probe
from notifications.types import Channel, PauseScope, Priority
from tests.factories import make_broadcast
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

NOW = timezone.now()


def make_worker(**changes):
    fields = {"host": "worker-1", "process": 1, "threads": 10, "started_at": NOW, "seen_at": NOW, **changes}
    return WorkerHeartbeat.objects.create(id=ids.uuid7(), **fields)


def ask():
    found = health.ready(NOW)
    return found.ok, {check.name: (check.ok, check.detail) for check in found.checks}


@pytest.fixture
def worker(db):
    return make_worker()


def test_all_is_well_with_a_worker_and_nothing_late(worker, template):
    make_event(template, due_at=NOW - timedelta(seconds=299))
    make_delivery(due_at=NOW - timedelta(seconds=299))
    make_delivery(due_at=NOW + timedelta(days=1))

    assert ask() == (
        True,
        {
            "database": (True, "It answers."),
            "migrations": (True, "All are applied."),
            "workers": (True, "1 alive."),
            "events": (True, "Nothing is late."),
            "deliveries": (True, "Nothing is late."),
            "digests": (True, "Nothing is late."),
        },
    )


def test_without_a_worker_it_is_not_ready(db):
    ok, checks = ask()

    assert not ok
    assert checks["workers"] == (False, "None is alive.")


def test_a_worker_that_was_not_seen_for_long_does_not_count(db):
    make_worker(seen_at=NOW - health.ALIVE_FOR)

    assert ask()[1]["workers"] == (False, "None is alive.")


def test_a_worker_that_lost_threads_is_told_even_if_others_are_fine(worker):
    make_worker(fault="consumer of deliver_sms", started_at=NOW + timedelta(seconds=1))

    ok, checks = ask()

    assert not ok
    assert checks["workers"] == (False, "1 of 2 have lost threads: consumer of deliver_sms.")


def test_a_broken_worker_that_has_ended_is_forgotten(worker):
    make_worker(fault="consumer of deliver_sms", seen_at=NOW - timedelta(minutes=1))

    assert ask()[0]


def test_a_migration_that_was_not_applied_is_named(worker):
    newest = max(name for app, name in health._newest_migrations() if app == "notifications")
    MigrationRecorder(connection).record_unapplied("notifications", newest)

    ok, checks = ask()

    assert not ok
    assert checks["migrations"] == (False, f"Not applied: notifications.{newest}.")


@pytest.mark.parametrize("priority", Priority)
def test_an_event_that_is_late_is_named_by_its_priority(worker, template, priority):
    make_event(template, priority=priority, due_at=NOW - timedelta(seconds=301))

    ok, checks = ask()

    assert not ok
    assert checks["events"] == (False, f"Late: {priority.name.lower()} 301 s.")
    assert checks["deliveries"][0]


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel != Channel.IN_APP])
def test_a_delivery_that_is_late_is_named_by_its_channel(worker, channel):
    make_delivery(channel=channel, priority=Priority.LOW, due_at=NOW - timedelta(seconds=400))
    make_delivery(channel=channel, priority=Priority.HIGH, due_at=NOW - timedelta(seconds=350))

    ok, checks = ask()

    assert not ok
    assert checks["deliveries"] == (False, f"Late: {channel.value} 400 s.")


def test_what_is_late_is_a_setting(worker, template, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "READY_LATENESS": 10}
    make_event(template, due_at=NOW - timedelta(seconds=11))

    assert not ask()[0]


def test_what_is_held_is_not_late(worker, template):
    make_event(template, due_at=NOW - timedelta(hours=1))
    make_delivery(channel="sms", due_at=NOW - timedelta(hours=1))
    Pause.objects.create(scope=PauseScope.EVERYTHING, created_at=NOW)

    assert ask()[0]


def test_a_broadcast_that_is_held_is_not_late(worker, template):
    held = make_broadcast(template)
    make_event(template, broadcast=held, due_at=NOW - timedelta(hours=1))
    make_delivery(channel="sms", broadcast_id=held.pk, due_at=NOW - timedelta(hours=1))
    assert not ask()[0]

    Pause.objects.create(scope=PauseScope.BROADCAST, key=str(held.pk), created_at=NOW)
    pausing.forget()

    assert ask()[0]


def test_a_digest_that_nobody_closes_is_late_and_what_it_collected_is_not(worker, alice, template):
    digest = Digest.objects.create(
        recipient=alice, channel="email", category_id="orders", key="k", opened_at=NOW, due_at=NOW - timedelta(hours=1)
    )
    make_delivery(digest_id=digest.pk, due_at=NOW - timedelta(hours=2))

    ok, checks = ask()

    assert not ok
    assert checks["digests"] == (False, "Late: digests 3600 s.")
    assert checks["deliveries"][0]
    Pause.objects.create(scope=PauseScope.EVERYTHING, created_at=NOW)
    pausing.forget()
    assert ask()[0]


def test_it_asks_the_same_number_of_statements_however_many_rows(worker, template):
    pausing.forget()
    with CaptureQueriesContext(connection) as few:
        health.ready(NOW)
    for index in range(20):
        make_worker()
        make_event(template, priority=index % 4)
        make_delivery(channel=Channel.values[1 + index % 5])
    pausing.forget()
    with CaptureQueriesContext(connection) as many:
        health.ready(NOW)

    assert len(many) == len(few)
    assert not any("COUNT(" in query["sql"] for query in many.captured_queries)


def test_without_an_instant_the_clock_is_asked(db):
    make_worker(seen_at=timezone.now())

    assert health.ready().ok


def test_a_statement_that_fails_halfway_leaves_what_was_found(worker):
    def fail(execute, sql, params, many, context):
        if "heartbeat" in sql:
            message = "could not connect to 10.0.0.7 as shop"
            raise OperationalError(message)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        ok, checks = ask()

    assert not ok
    assert checks == {
        "database": (False, "It does not answer: OperationalError."),
        "migrations": (True, "All are applied."),
    }


def test_a_database_that_refuses_is_an_answer(db, monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(connections.settings["default"], "NAME", "/nowhere/at/all/db.sqlite3")
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {})

    assert ask() == (False, {"database": (False, "It does not answer: OperationalError.")})


def test_a_database_that_hangs_is_not_waited_for(db, monkeypatch):
    monkeypatch.setattr(probe, "ANSWER_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        somewhere = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "shop",
            "HOST": "127.0.0.1",
            "PORT": silent.getsockname()[1],
            "OPTIONS": {},
        }
        for key, value in somewhere.items():
            monkeypatch.setitem(connections.settings["default"], key, value)
        started = time.monotonic()

        answers = [ask() for _ in range(3)]

        assert time.monotonic() - started < 3
        waiting = [thread for thread in threading.enumerate() if thread.name == "database-ping"]
    assert answers == 3 * [(False, {"database": (False, "It does not answer: no answer within 0.2 s.")})]
    (thread,) = waiting
    thread.join(10)
    assert not thread.is_alive()
