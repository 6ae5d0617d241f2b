"""Drains share a process: few of each kind, and no wake-up lost."""

from __future__ import annotations

import threading

import pytest

from notifications import signals, wakeups
from notifications.pipeline import draining, sizing
from notifications.pipeline.draining import Places, drain


@pytest.fixture
def places(monkeypatch):
    fresh = Places()
    monkeypatch.setattr(draining, "places", fresh)
    return fresh


def script(*numbers):
    """Return a step that handles these numbers of rows, and says each time whether there are more."""
    left = list(numbers)

    def step(*, more):
        number = left.pop(0) if left else 0
        if left:
            more()
        return number

    return step


def test_a_drain_works_until_nothing_is_due(places):
    assert drain("dispatch_normal", script(5, 5, 2)) == 12
    assert not places.busy("dispatch_normal")


def test_the_number_of_running_drains_is_known(places):
    places.enter("deliver_email")
    places.enter("dispatch_low")

    assert places.number() == 2


def test_a_drain_whose_time_is_up_rings_again_and_leaves(places, rung, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "DRAIN_TIME": 0}

    assert drain("dispatch_normal", script(5, 5, 5)) == 5
    # Once because there is more, and once because it leaves.
    assert rung == [("dispatch_normal", 0.0)] * 2


def test_a_claim_that_was_not_full_is_the_last(places):
    """What is due since then has rung: asking once more would cost a statement for each priority."""
    asked = []

    def step(*, more):
        asked.append(True)
        return 3

    assert drain("dispatch_normal", step) == 3
    assert asked == [True]


def test_a_full_claim_rings_for_a_second_drain(places, rung):
    def step(*, more):
        more()
        return 0

    drain("deliver_email", step)

    assert rung == [("deliver_email", 0.0)]


def test_a_stopping_worker_begins_nothing(places):
    places.stopping.set()

    assert drain("dispatch_normal", script(5)) == 0


def test_an_error_ends_the_drain_gives_the_place_back_and_is_told(places):
    told: list = []

    def step(*, more):
        raise ZeroDivisionError

    def listen(actor, error, **_):
        told.append((actor, type(error)))

    signals.drain_failed.connect(listen)
    try:
        assert drain("deliver_email", step) == 0
    finally:
        signals.drain_failed.disconnect(listen)

    assert told == [("deliver_email", ZeroDivisionError)]
    assert not places.busy("deliver_email")


def test_a_channel_has_three_places_and_all_channels_leave_two_threads(places):
    assert [places.enter("deliver_email") for _ in range(4)] == [True, True, True, False]
    assert [places.enter("deliver_sms") for _ in range(4)] == [True, True, True, False]
    assert [places.enter("deliver_chat") for _ in range(4)] == [True, True, False, False]
    assert [places.enter("dispatch_urgent") for _ in range(2)] == [True, False]


def test_a_channel_whose_provider_answers_at_once_has_one_place(places, monkeypatch):
    monkeypatch.setattr(sizing, "waits_for_provider", lambda actor: actor == "deliver_sms")

    assert [places.enter("deliver_email") for _ in range(2)] == [True, False]
    assert [places.enter("deliver_sms") for _ in range(2)] == [True, True]


def test_once_a_provider_is_known_to_answer_at_once_the_drains_too_many_leave(places, monkeypatch):
    for _ in range(3):
        places.enter("deliver_email")
    monkeypatch.setattr(sizing, "waits_for_provider", lambda actor: False)
    assert not places.enter("deliver_email")

    # The wake-up is that of the last.
    assert [places.leave("deliver_email") for _ in range(3)] == [(False, None), (False, None), (True, None)]


def test_a_drain_too_many_does_not_wait_for_its_time_to_be_up(places, rung, monkeypatch):
    for _ in range(2):
        places.enter("deliver_email")

    def step(*, more):
        monkeypatch.setattr(sizing, "waits_for_provider", lambda actor: False)
        more()
        return 5

    assert drain("deliver_email", step) == 5
    assert places.number() == 2


def test_between_two_rounds_of_a_stream_a_drain_takes_breath(places, monkeypatch):
    """A round for one row costs as much as one for fifty."""
    breaths: list[float] = []
    monkeypatch.setattr(places.stopping, "wait", breaths.append)
    rings = iter([True, False])

    def step(*, more):
        if next(rings):
            places.enter("dispatch_normal")
        return 1

    drain("dispatch_normal", step)

    assert [draining.BREATH <= breath <= draining.LONGEST_BREATH for breath in breaths] == [True]


@pytest.mark.parametrize(("took", "breath"), [(0.001, 0.1), (0.02, 0.16), (3, 0.4)])
def test_the_longer_a_round_takes_the_longer_the_breath(took, breath):
    assert draining._breath(took) == pytest.approx(breath)


def test_a_wake_up_that_finds_no_place_sends_the_leaving_drain_round_again(places):
    for _ in range(3):
        places.enter("deliver_email")
    assert not places.enter("deliver_email")

    assert places.leave("deliver_email") == (True, None)
    assert places.leave("deliver_email") == (False, None)


def test_a_channel_that_was_turned_away_by_others_is_rung_for_when_one_leaves(places):
    places.threads = 3
    places.enter("deliver_email")
    assert not places.enter("deliver_sms")

    assert places.leave("deliver_email") == (False, "deliver_sms")


def test_a_stopping_worker_does_not_go_round_again(places):
    places.enter("deliver_email")
    for _ in range(2):
        places.enter("deliver_email")
    assert not places.enter("deliver_email")
    places.stopping.set()

    assert places.leave("deliver_email")[0] is False


def test_a_row_committed_while_the_last_drain_leaves_is_not_left_behind(places):
    """The race: the drain has claimed nothing and is about to leave; a row and its wake-up come in between."""
    for _ in range(200):
        due: list[int] = []
        handled: list[int] = []
        claimed_nothing, committed = threading.Event(), threading.Event()

        def step(*, more, due=due, handled=handled, seen=claimed_nothing, go=committed):
            rows, due[:] = list(due), []
            handled.extend(rows)
            if not rows and not seen.is_set():
                seen.set()
                go.wait(5)
            return len(rows)

        places.threads = 3
        first = threading.Thread(target=drain, args=("deliver_email", step))
        first.start()
        claimed_nothing.wait(5)
        due.append(1)
        second = threading.Thread(target=drain, args=("deliver_email", step))
        second.start()
        second.join(0.001)
        committed.set()
        first.join(5)
        second.join(5)

        assert handled == [1]
        assert not places.busy("deliver_email")


def test_the_ring_of_a_turned_away_channel_reaches_the_broker_buffer(places, rung):
    places.threads = 3
    entered: list[bool] = []

    def step(*, more):
        if not entered:
            entered.append(places.enter("deliver_sms"))
        return 0

    drain("deliver_email", step)

    assert entered == [False]
    assert [actor for actor, _ in rung] == ["deliver_sms"]
    assert wakeups.deliver_actor("sms") == "deliver_sms"
