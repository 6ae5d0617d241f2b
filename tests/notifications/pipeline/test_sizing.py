"""A drain claims what it can do in a moment."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace

import pytest

from notifications.pipeline import sizing


@pytest.fixture
def watch(monkeypatch):
    """Time that passes when it is told to."""
    watch = SimpleNamespace(now=0.0)
    monkeypatch.setattr(sizing, "monotonic", lambda: watch.now)
    return watch


def work(watch, seconds, *, claimed=None, most=10_000):
    """Claim what is offered, or less, and take so long; return how much the next claim would be."""
    number = sizing.size("deliver", most=most)
    with sizing.measured("deliver", claimed or number, full=claimed is None, moment=1.0):
        watch.now += seconds
    return sizing.size("deliver", most=most)


def test_it_begins_small():
    assert sizing.size("deliver", most=500) == 50


def test_it_grows_twofold_while_there_is_more_and_it_is_quick(watch):
    assert [work(watch, 0.01) for _ in range(3)] == [100, 200, 400]


def test_it_grows_to_what_fits_into_the_moment(watch):
    # 50 in 0.8 s are 62 in a second.
    assert work(watch, 0.8) == 62


def test_it_shrinks_at_once_to_what_fits(watch):
    assert work(watch, 10.0) == 5
    assert work(watch, 100.0) == 1


def test_what_was_all_there_is_says_nothing_of_more(watch):
    assert work(watch, 0.5, claimed=30) == 50


def test_few_that_took_long_are_a_reason_to_take_fewer(watch):
    assert work(watch, 2.0, claimed=10) == 5


def test_never_more_than_the_most(watch):
    assert work(watch, 0.0, most=70) == 70


def test_what_fails_is_not_measured(watch):
    def fail():
        watch.now += 100.0
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), sizing.measured("deliver", 50, full=True, moment=1.0):
        fail()

    assert sizing.size("deliver", most=500) == 50


def test_each_actor_has_a_size_of_its_own(watch):
    work(watch, 10.0)

    assert sizing.size("dispatch", most=500) == 50


def test_heavy_rows_are_counted_by_their_weight(watch):
    # 40 events for 25 recipients each, in half of the moment.
    with sizing.measured("dispatch", 40, full=True, weight=1000, moment=1.0):
        watch.now += 0.5

    assert sizing.size("dispatch", most=10_000) == 2000 // 25
    assert sizing.size("dispatch", most=500) == 20


def test_at_least_one_is_claimed_however_heavy(watch):
    with sizing.measured("dispatch", 1, full=True, weight=50, moment=1.0):
        watch.now += 100.0

    assert sizing.size("dispatch", most=500) == 1


def call(watch, seconds, *, after=0.0):
    """Do something else for a while, then call the provider."""
    watch.now += after
    with sizing.calling("deliver_email"):
        watch.now += seconds


def test_as_long_as_nobody_has_called_a_provider_is_waited_for():
    assert sizing.waits_for_provider("deliver_email")


def test_a_provider_that_takes_most_of_the_time_is_waited_for(watch):
    call(watch, 0.3, after=1)
    call(watch, 0.3, after=0.01)

    assert sizing.waits_for_provider("deliver_email")


def test_a_provider_that_answers_at_once_is_not(watch):
    call(watch, 0.001, after=1)
    call(watch, 0.001, after=0.2)

    assert not sizing.waits_for_provider("deliver_email")
    assert sizing.waits_for_provider("deliver_sms")


def test_a_call_that_has_lasted_for_long_is_waited_for(watch):
    call(watch, 0.001, after=1)
    call(watch, 0.001, after=0.2)

    with sizing.calling("deliver_email"):
        assert not sizing.waits_for_provider("deliver_email")
        watch.now += sizing.LONG
        assert sizing.waits_for_provider("deliver_email")


def test_a_call_that_raises_is_over(watch):
    call(watch, 0.001, after=1)
    watch.now += 0.2
    with suppress(OSError), sizing.calling("deliver_email"):
        watch.now += 0.001
        raise OSError
    watch.now += 10

    assert not sizing.waits_for_provider("deliver_email")
