"""The clock's jobs: when they run and how much they take on."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.utils import timezone

from notifications import signals
from notifications.maintenance.job import MAX_BATCH, MIN_BATCH, Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def told():
    """Return the failures the clock told of: (job, type of error)."""
    failures: list = []

    def listen(job, error, **_):
        failures.append((job, type(error)))

    signals.clock_failed.connect(listen)
    yield failures
    signals.clock_failed.disconnect(listen)


def scripted(*results):
    """Return a run that ends as told, and the list of its limits."""
    left, limits = list(results), []

    def run(now, limit):
        limits.append(limit)
        result = left.pop(0) if left else 0
        if isinstance(result, Exception):
            raise result
        return result

    return run, limits


def tick(job, *seconds):
    for second in seconds:
        job.tick(timezone.now(), second)


def test_a_job_runs_at_once_and_then_at_its_interval():
    run, limits = scripted()
    job = Job(name="j", run=run, every=10)

    tick(job, 0, 5, 9.9, 10, 11, 20)

    assert len(limits) == 3


def test_a_job_that_found_a_full_batch_goes_on_at_the_next_tick():
    run, limits = scripted(MAX_BATCH, MAX_BATCH, 1)
    job = Job(name="j", run=run, every=600)

    tick(job, 0, 1, 2, 3)

    assert len(limits) == 3


def test_a_slow_database_shrinks_the_batch_and_a_quick_one_lets_it_grow(told):
    run, limits = scripted(OperationalError(), OperationalError(), OperationalError())
    job = Job(name="j", run=run, every=1)

    tick(job, 0, 1, 2, 3, 4, 5)

    assert limits == [500, 50, 5, MIN_BATCH, 10, 20]
    assert told == [("j", OperationalError)] * 3


def test_an_error_is_told_and_the_job_comes_back(told):
    run, limits = scripted(ZeroDivisionError())
    job = Job(name="j", run=run, every=1)

    tick(job, 0, 1)

    assert told == [("j", ZeroDivisionError)]
    assert limits == [500, 500]
