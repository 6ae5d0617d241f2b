"""One clock for everybody: the database's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from notifications import clock


@pytest.fixture
def measuring(settings, monkeypatch):
    """Let the clock compare itself with the database's, as it does outside the tests."""
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "CLOCK_CHECK": 60}
    monkeypatch.setattr(clock, "_measured_at", None)
    monkeypatch.setattr(clock, "_offset", timedelta(0))


def test_the_time_is_aware_and_near_the_machines_own(db, measuring):
    assert abs(clock.now() - timezone.now()) < timedelta(seconds=1)
    assert clock.now().tzinfo is not None


def test_the_database_is_asked_once_a_minute(db, measuring, django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        for _ in range(10):
            clock.now()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no clock of its own")
def test_a_machine_whose_clock_is_wrong_follows_the_database(db, measuring, monkeypatch):
    wrong = timedelta(minutes=5)
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() - wrong)

    assert abs(clock.now() - now()) < timedelta(seconds=1)
    assert abs(clock.offset() - wrong) < timedelta(seconds=1)


def test_a_database_that_does_not_answer_leaves_the_clock_as_it_was(measuring, monkeypatch):
    # Without the `db` fixture every connection is refused, by pytest-django.
    from django.db import OperationalError

    def refuse(*_):
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", refuse)

    assert abs(clock.now() - timezone.now()) < timedelta(seconds=1)
