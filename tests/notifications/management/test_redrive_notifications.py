"""`manage.py redrive_notifications` says what it found, asks, and sends it round again."""

from __future__ import annotations

import builtins
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command

from notifications.models import Delivery, Event
from notifications.types import BroadcastState, DeliveryState, EventState, Reason
from tests.factories import make_broadcast
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def failed(template):
    """Three failed deliveries, an unknown one, one whose content is gone, and a failed event; an hour ago."""
    with time_machine.travel(NOW, tick=False) as traveller:
        event = make_event(template, state=EventState.DISPATCHED)
        for channel in ("email", "email", "sms"):
            make_delivery(
                event_id=event.pk, channel=channel, state=DeliveryState.FAILED, reason=Reason.RETRIES_EXHAUSTED
            )
        make_delivery(event_id=event.pk, channel="sms", state=DeliveryState.UNKNOWN)
        make_delivery(event_id=uuid4(), state=DeliveryState.FAILED, reason=Reason.REJECTED)
        make_event(template, state=EventState.FAILED, last_error="ValueError: x")
        traveller.shift(timedelta(hours=1))
        yield event


def run(*args):
    out = StringIO()
    call_command("redrive_notifications", *args, stdout=out)
    return out.getvalue().splitlines()


def waiting():
    return Delivery.objects.filter(state=DeliveryState.PENDING).count(), Event.objects.filter(state="pending").count()


def test_a_broadcast_is_named_and_sent_round_again(template):
    row = make_broadcast(template, audience="x", state=BroadcastState.FAILED)

    assert run("--broadcast", str(row.pk), "--yes") == [
        "channel        reason            number",
        "(broadcasts)   expansion_error        1",
        "Sent round again: 0 deliveries, 0 events, 1 broadcast.",
    ]
    with pytest.raises(CommandError, match="No broadcast"):
        run("--broadcast", str(uuid4()))


TABLE = [
    "channel    reason              number",
    "email      retries_exhausted        2",
    "(events)   dispatch_error           1",
    "sms        retries_exhausted        1",
    "Left alone: 1, its content is no longer kept",
    "Left alone: 1, it may have been sent already (--include-unknown sends it again)",
]


@pytest.fixture
def answer(monkeypatch):
    """Return a function that sits at a terminal and gives this answer; it returns the questions."""

    class Terminal:
        def isatty(self):
            return True

    def answer(text):
        asked: list = []
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or text)  # type: ignore[func-returns-value]
        return asked

    return answer


def test_it_says_what_goes_and_what_is_left_alone_and_why():
    lines = run("--yes")

    assert sorted(lines[:6]) == sorted(TABLE)
    assert lines[6:] == ["Sent round again: 3 deliveries, 1 event."]
    assert waiting() == (3, 1)


def test_a_dry_run_changes_nothing():
    assert run("--dry-run")[-1] == "Dry run: nothing was changed."
    assert waiting() == (0, 0)


@pytest.mark.parametrize(
    ("text", "expected"), [("y", (3, 1)), ("YES", (3, 1)), ("", (0, 0)), ("n", (0, 0)), ("what", (0, 0))]
)
def test_on_a_terminal_it_asks_first(answer, text, expected):
    asked = answer(text)

    run()

    assert asked == ["Send 4 round again? [y/N] "]
    assert waiting() == expected


def test_an_end_of_input_is_no_answer(answer, monkeypatch):
    answer("")

    def end(question):
        raise EOFError

    monkeypatch.setattr(builtins, "input", end)

    run()

    assert waiting() == (0, 0)


def test_with_yes_it_does_not_ask(answer):
    asked = answer("n")

    run("--yes", "--limit", "2")

    assert asked == []
    assert waiting() == (1, 1)


def test_the_question_knows_the_limit(answer):
    asked = answer("n")

    run("--limit", "2")

    assert asked == ["Send 2 round again? [y/N] "]


def test_without_a_terminal_it_does_not_ask(failed):
    run("--event", str(failed.pk), "--channel", "email")

    assert waiting() == (2, 0)


def test_unknown_ones_go_when_asked_for():
    run("--include-unknown", "--channel", "sms")

    assert waiting() == (2, 0)


def test_with_nothing_to_do_it_says_so():
    assert run("--since", "10m") == ["Nothing was changed."]


def test_deliveries_can_be_named():
    first, second, *_ = Delivery.objects.filter(reason=Reason.RETRIES_EXHAUSTED)

    assert run("--delivery", str(first.pk), str(second.pk))[-1] == "Sent round again: 2 deliveries, 0 events."


ID = "019ca945-0a00-7000-a46e-e151981374f0"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--channel", "emial"], "--channel: no channel 'emial' (did you mean 'email'?); there are in_app, email"),
        (
            ["--reason", "retries_exausted"],
            "--reason: no reason 'retries_exausted' (did you mean 'retries_exhausted'?)",
        ),
        (["--template", "ORDER_CREATD"], "No template 'ORDER_CREATD' (did you mean 'ORDER_CREATED'?)."),
        (["--since", "tuesday"], "--since: 'tuesday' is no instant; write 36h or 2d (ago)"),
        (["--until", "2026-13-01"], "--until: '2026-13-01' is no instant there is"),
        (["--event", "42"], "--event: '42' is no id"),
        (["--event", ID], f"No event {ID}, and no delivery of it is on record"),
        (["--delivery", ID], f"No delivery {ID} is on record"),
        (["--limit", "all"], "--limit: 'all' is not a number above zero"),
        (["--canal", "sms"], "unrecognized arguments: --canal"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_value_is_refused_with_what_to_write_instead(args, said):
    with pytest.raises(CommandError) as refused:
        run(*args, "--yes")

    assert said in str(refused.value)
    assert waiting() == (0, 0)


def test_a_delivery_that_did_not_fail_is_refused():
    sent = make_delivery(state=DeliveryState.SENT)

    with pytest.raises(CommandError, match=f"The delivery {sent.pk} is sent; only failed and unknown ones"):
        run("--delivery", str(sent.pk))
