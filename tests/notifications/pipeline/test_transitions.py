"""
Every guard against every state, and against everything else that may be wrong, on the database the tests run with.

The tables say what becomes of a row: its new state, or "-" where the guard must not touch it. A row that is not to be
touched is compared as a whole, and so is one that is: what is not named here stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from notifications.models import Attempt, Delivery, Event
from notifications.pipeline import cancelling, claiming
from notifications.services import redrive
from notifications.services.failed import Selection
from notifications.types import DeliveryState, EventState, Outcome, Priority, Reason
from tests.factories import make_broadcast, make_template

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LEASE = timedelta(seconds=60)
MINE, ANOTHERS = UUID(int=1), UUID(int=2)

EVENTS = """
state         claim         claim alone   settle       put back   release   hold          reclaim
pending       dispatching   dispatching   -            -          -         -             -
dispatching   -             -             dispatched   pending    pending   dispatching   pending
dispatched    -             -             -            -          -         -             -
cancelled     -             -             -            -          -         -             -
expired       -             -             -            -          -         -             -
failed        -             -             -            -          -         -             -

state         reclaim the tenth   expire    reschedule   cancel       cancel again   redrive
pending       -                   expired   pending      cancelled    cancelled      -
dispatching   failed              -         -            cancelled    cancelled      -
dispatched    -                   -         -            dispatched   dispatched     -
cancelled     -                   -         -            -            -              -
expired       -                   -         -            -            -              -
failed        -                   -         -            failed       failed         pending
"""

DELIVERIES = """
state        claim     claim alone   settle   put back   release   hold      start     reclaim
pending      sending   sending       -        -          -         -         -         -
sending      -         -             sent     pending    pending   sending   sending   pending
sent         -         -             -        -          -         -         -         -
failed       -         -             -        -          -         -         -         -
unknown      -         -             -        -          -         -         -         -
suppressed   -         -             -        -          -         -         -         -
cancelled    -         -             -        -          -         -         -         -
expired      -         -             -        -          -         -         -         -
digested     -         -             -        -          -         -         -         -

state        reclaim the tenth   reclaim begun   reclaim begun the tenth   expire    cancel      redrive   redrive unknown
pending      -                   -               -                         expired   cancelled   -         -
sending      failed              unknown         unknown                   -         -           -         -
sent         -                   -               -                         -         -           -         -
failed       -                   -               -                         -         -           pending   pending
unknown      -                   -               -                         -         -           -         pending
suppressed   -                   -               -                         -         -           -         -
cancelled    -                   -               -                         -         -           -         -
expired      -                   -               -                         -         -           -         -
digested     -                   -               -                         -         -           -         -
"""  # fmt: skip


def cells(table: str) -> dict[tuple[str, str], str | None]:
    """Return (state, transition) → the new state, or None."""
    found = {}
    for block in table.strip().split("\n\n"):
        head, *rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in block.splitlines()]
        for state, *row in rows:
            for name, cell in zip(head[1:], row, strict=True):
                found[state, name] = None if cell == "-" else cell
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that is not as it should be: of the row, of the call, or of what is around them."""

    row: dict[str, Any] = field(default_factory=dict)
    call: dict[str, Any] = field(default_factory=dict)
    around: Callable[[Any], object] = lambda row: None
    #: To be said of a row that is held only: the database refuses a lease on others.
    held: bool = False
    #: The same of one that is over.
    over: bool = False
    #: Another row of the same kind is named instead of this one.
    other_row: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A guard, with what makes it let a row pass."""

    #: Called with the row's id and the `call`; returns whether, or how often, it wrote.
    act: Callable[..., Any]
    #: What is written beside the state, given the row before and the new state.
    writes: Callable[[dict[str, Any], str], dict[str, Any]]
    #: What the row needs to be let pass.
    row: dict[str, Any] = field(default_factory=dict)
    #: The same of a row that is held.
    held: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Wrong] = field(default_factory=dict)
    #: States in which it writes and says all the same that there was nothing to do.
    quiet: frozenset[str] = frozenset()


FREE = {"lease_token": None, "lease_until": None}
HELD = {EventState.DISPATCHING.value, DeliveryState.SENDING.value}
OPEN = {"pending", *HELD}
TOKEN = {"another's token": Wrong(held=True, row={"lease_token": ANOTHERS}), "another row": Wrong(other_row=True)}


# --- What both have -------------------------------------------------------------------------------------------------


def claim(model, pk, **call):
    options = {"priorities": [Priority.NORMAL], "now": NOW, "lease": LEASE, "limit": 5, **call}
    return pk in [row.pk for row in claiming.claim(model, **options).rows]


def in_broadcast(row):
    """Make the row a part of a broadcast."""
    made = make_broadcast(row.template, id=UUID(int=4), created_at=NOW)
    type(row).objects.filter(pk=row.pk).update(broadcast_id=made.pk)


def claimed(before, state):
    # Whatever the token: nobody else has it.
    return {"lease_token": None, "lease_until": NOW + LEASE, "claims": before["claims"] + 1}


def settle(model, pk, *, state, token=MINE):
    return claiming.settle(model, pk, token, now=NOW, state=state, last_error="as told")


def settled(before, state):
    return {**FREE, "claims": 0, "last_error": "as told", "finished_at": None if state == "pending" else NOW}


def hold(model, pk, token=MINE):
    with transaction.atomic():
        return len(claiming.held(model, [pk], token))


def common(model: Any, final: str, **claim_options: Any) -> dict[str, Transition]:
    """Return the transitions that events and deliveries share."""

    def innocent(row):
        """Have another row that is due and under no suspicion."""
        MAKE[model]("pending", template=row.template, address="innocent")

    def earlier(row, **changes):
        """Have another row that was due before."""
        MAKE[model]("pending", template=row.template, address="earlier", due_at=NOW - HOUR, **changes)

    def put(state):
        def act(pk, **call):
            return settle(model, pk, state=state, **call)

        return Transition(act=act, writes=settled, wrong=TOKEN)

    def reclaiming(writes=FREE, **row):
        return Transition(
            act=lambda pk: claiming.reclaim(model, now=NOW, limit=5),
            writes=lambda before, state: {**writes, **FREE, "finished_at": None if state == "pending" else NOW},
            row=row,
            held={"lease_until": NOW - SECOND},
            wrong={
                "lease not over": Wrong(held=True, row={"lease_until": NOW + SECOND}),
                "lease over this instant": Wrong(held=True, row={"lease_until": NOW}),
            },
        )

    claiming_it = Transition(
        act=lambda pk, **call: claim(model, pk, **{**claim_options, **call}),
        writes=claimed,
        wrong={
            "not due": Wrong(row={"due_at": NOW + SECOND}),
            "of another priority": Wrong(row={"priority": Priority.HIGH}),
            "of a held template": Wrong(call={"templates_held": ["ORDER_CREATED"]}),
            "of a held broadcast": Wrong(call={"broadcasts_held": [UUID(int=4)]}, around=in_broadcast),
            "no priorities": Wrong(call={"priorities": []}),
            "no room": Wrong(call={"limit": 1}, around=earlier),
        },
    )
    alone = Transition(
        act=claiming_it.act,
        writes=claimed,
        row={"claims": 3},
        wrong={
            "not due": claiming_it.wrong["not due"],
            "of another priority": claiming_it.wrong["of another priority"],
            "of a held template": claiming_it.wrong["of a held template"],
            "of a held broadcast": claiming_it.wrong["of a held broadcast"],
            "another is due": Wrong(around=innocent),
            "another is as suspect, and due earlier": Wrong(around=partial(earlier, claims=3)),
        },
    )
    return {
        "claim": claiming_it,
        "claim alone": alone,
        "settle": put(final),
        "put back": put("pending"),
        "release": Transition(
            act=lambda pk, token=MINE: claiming.release(model, [pk], token),
            writes=lambda before, state: {**FREE, "claims": before["claims"] - 1},
            wrong=TOKEN,
        ),
        "hold": Transition(act=lambda pk: hold(model, pk), writes=lambda before, state: {}, wrong=TOKEN),
        "reclaim": reclaiming(claims=9),
    } | (
        {"reclaim the tenth": reclaiming({"last_error": Reason.WORKER_CRASHED}, claims=10)}
        if model is Event
        else {
            "reclaim the tenth": reclaiming({"reason": Reason.WORKER_CRASHED}, claims=10),
            # Nobody knows whether it was sent: why it waited before says nothing any more.
            "reclaim begun": reclaiming({"reason": ""}, claims=1, started_at=NOW - LEASE),
            "reclaim begun the tenth": reclaiming({"reason": Reason.WORKER_CRASHED}, claims=10, started_at=NOW - LEASE),
        }
    )


def expiring(**writes: Any) -> Transition:
    return Transition(
        act=lambda pk: claiming.expire(now=NOW, limit=5),
        writes=lambda before, state: {"finished_at": NOW, **writes},
        row={"expires_at": NOW},
        wrong={
            "not yet": Wrong(row={"expires_at": NOW + SECOND}),
            "never": Wrong(row={"expires_at": None}),
        },
    )


# --- Events ---------------------------------------------------------------------------------------------------------


def make_event(state, *, template, address="", **changes):
    """Return an event in this state. `address` is for deliveries."""
    held = {"lease_token": MINE, "lease_until": NOW + LEASE} if state in HELD else {}
    return Event.objects.create(
        template=template,
        recipients=["1"],
        state=state,
        **{
            "created_at": NOW - HOUR,
            "due_at": NOW,
            "claims": 1,
            "finished_at": None if state in OPEN else NOW,
            "last_error": "of before",
            "planned_count": 7,
            **held,
            **changes,
        },
    )


def in_cancelled_broadcast(row):
    """Make the row a part of a broadcast that was cancelled."""
    made = make_broadcast(row.template, created_at=NOW, cancelled_at=NOW)
    type(row).objects.filter(pk=row.pk).update(broadcast_id=made.pk)


def of_redrive(act, **writes: Any) -> Transition:
    """Return what redrive does with events and deliveries alike."""
    return Transition(
        act=act,
        writes=lambda before, state: {"due_at": NOW, "finished_at": None, "claims": 0, **writes},
        row={"claims": 4, "due_at": NOW - HOUR},
        wrong={
            "failed later": Wrong(over=True, row={"finished_at": NOW + SECOND}),
            "failed before the time asked for": Wrong(call={"since": NOW + SECOND}),
            "failed after the time asked for": Wrong(call={"until": NOW}),
            "of another template": Wrong(call={"template": "STOCK_LOW"}),
            "of another event": Wrong(call={"event_id": UUID(int=3)}),
            "of another broadcast": Wrong(call={"broadcast_id": UUID(int=3)}),
            "for another reason": Wrong(call={"reason": Reason.RENDER_ERROR}),
            "no room": Wrong(call={"limit": 0}),
            "expired": Wrong(row={"expires_at": NOW}),
            "of a cancelled broadcast": Wrong(around=in_cancelled_broadcast),
        },
    )


def run_redrive(pk, *, limit=None, **selection):
    done = redrive.redrive(Selection(**selection), now=NOW, limit=limit)
    return done.events + done.deliveries


def cancelled_event(before, state):
    if before["state"] not in OPEN:
        return {"cancelled_at": NOW}
    return {**FREE, "cancelled_at": NOW, "finished_at": NOW}


def redriven_event() -> Transition:
    shared = of_redrive(run_redrive, last_error="")
    wrong = {
        "cancelled": Wrong(row={"cancelled_at": NOW}),
        "emptied": Wrong(row={"emptied_at": NOW}),
        "deliveries asked for": Wrong(call={"channel": "email"}),
        "some deliveries asked for": Wrong(call={"delivery_ids": (UUID(int=3),)}),
    }
    return replace(shared, wrong={**shared.wrong, **wrong})


EVENT_TRANSITIONS = {
    **common(Event, "dispatched"),
    "expire": expiring(),
    "reschedule": Transition(
        act=lambda pk: cancelling.reschedule(pk, due_at=NOW + HOUR),
        # Its end moves with it.
        writes=lambda before, state: {"due_at": NOW + HOUR, "expires_at": NOW + 3 * HOUR},
        row={"expires_at": NOW + 2 * HOUR},
        wrong={"another row": Wrong(other_row=True)},
    ),
    "cancel": Transition(
        act=lambda pk: cancelling.cancel(pk, now=NOW),
        writes=cancelled_event,
        wrong={"another row": Wrong(other_row=True)},
        quiet=frozenset({"dispatched", "failed"}),
    ),
    "cancel again": Transition(
        act=lambda pk: cancelling.cancel(pk, now=NOW),
        # The first time counts, where it did not end the event.
        writes=lambda before, state: {} if before["state"] not in OPEN else cancelled_event(before, state),
        row={"cancelled_at": NOW - HOUR},
        quiet=frozenset({"dispatched", "failed"}),
    ),
    "redrive": redriven_event(),
}


# --- Deliveries -----------------------------------------------------------------------------------------------------


def make_delivery(state, *, template, address="alice@example.com", **changes):
    """Return a delivery in this state, of an event that was dispatched."""
    event = make_event("dispatched", template=template)
    held = {"lease_token": MINE, "lease_until": NOW + LEASE} if state in HELD else {}
    return Delivery.objects.create(
        event_id=event.pk,
        template=template,
        address=address,
        state=state,
        **{
            "channel": "email",
            "created_at": NOW - HOUR,
            "due_at": NOW,
            "claims": 1,
            "attempts": 2,
            "attempts_before": 1,
            "reason": Reason.RETRY,
            "last_error": "of before",
            "finished_at": None if state in OPEN else NOW,
            **held,
            **changes,
        },
    )


def cancel_its_event(pk):
    event_id = Delivery.objects.get(pk=pk).event_id
    assert event_id is not None
    return cancelling.cancel(event_id, now=NOW)


def of_event(**changes):
    return lambda row: Event.objects.filter(pk=row.event_id).update(**changes)


def attempted(row, outcome=Outcome.SENT):
    Attempt.objects.create(delivery=row, number=1, started_at=NOW, duration=SECOND, outcome=outcome)


def redriven_delivery(*, unknown: bool) -> Transition:
    def act(pk, **call):
        return run_redrive(pk, **{"include_unknown": unknown, **call})

    restarted = of_redrive(act)
    wrong = {
        "accepted after all": Wrong(around=attempted),
        "of a cancelled event": Wrong(around=of_event(cancelled_at=NOW)),
        "of an emptied event": Wrong(around=of_event(emptied_at=NOW)),
        "of an event that is gone": Wrong(around=lambda row: Event.objects.filter(pk=row.event_id).delete()),
        "by a channel nobody sends by": Wrong(row={"channel": "chat"}),
        "another channel asked for": Wrong(call={"channel": "sms"}),
        "another delivery asked for": Wrong(call={"delivery_ids": (UUID(int=3),)}),
    }
    if unknown:
        wrong["unknown ones not asked for"] = Wrong(row={"state": "unknown"}, call={"include_unknown": False})
    return replace(
        restarted,
        writes=lambda before, state: {
            **restarted.writes(before, state),
            "reason": "",
            "started_at": None,
            "attempts_before": before["attempts"],
        },
        row={**restarted.row, "started_at": NOW - HOUR},
        wrong={**restarted.wrong, **wrong},
    )


BY_CHANNEL = {"of another channel": Wrong(row={"channel": "sms"})}
COMMON_TO_DELIVERIES = common(Delivery, "sent", channel="email")
for _name in ("claim", "claim alone"):
    COMMON_TO_DELIVERIES[_name].wrong.update(BY_CHANNEL)

DELIVERY_TRANSITIONS = {
    **COMMON_TO_DELIVERIES,
    "start": Transition(
        act=lambda pk: claiming.stamp_started(pk, MINE, NOW),
        writes=lambda before, state: {"started_at": NOW},
        wrong=TOKEN,
    ),
    "expire": expiring(reason=Reason.EXPIRED),
    "cancel": Transition(
        act=cancel_its_event,
        writes=lambda before, state: {"reason": Reason.EVENT_CANCELLED, "finished_at": NOW},
        wrong={
            "of another event": Wrong(other_row=True),
            "of an event that was cancelled": Wrong(around=of_event(state=EventState.CANCELLED)),
            "of an event that expired": Wrong(around=of_event(state=EventState.EXPIRED)),
        },
    ),
    "redrive": redriven_delivery(unknown=False),
    "redrive unknown": redriven_delivery(unknown=True),
}

MAKE: dict[Any, Callable[..., Any]] = {Event: make_event, Delivery: make_delivery}


# --- The tests ------------------------------------------------------------------------------------------------------


def params(table: str, transitions: dict[str, Transition]) -> list[Any]:
    return [
        pytest.param(state, transitions[name], becomes, id=f"{name}-{state}")
        for (state, name), becomes in cells(table).items()
    ]


def wrong_params(transitions: dict[str, Transition]) -> list[Any]:
    return [
        pytest.param(transition, wrong, id=f"{name}-{what}")
        for name, transition in transitions.items()
        for what, wrong in transition.wrong.items()
    ]


def whole(row):
    """Return all columns of the row as they are stored."""
    return type(row).objects.filter(pk=row.pk).values().get()


def prepared(make, state, template, transition, wrong=None):
    """Return a row in this state that has all the transition needs, less what is wrong."""
    held = transition.held if state in HELD else {}
    changes = {**transition.row, **held, **(wrong.row if wrong else {})}
    return make(changes.pop("state", state), template=template, **changes)


def check_right(make, template, state, transition, becomes):
    row = prepared(make, state, template, transition)
    before = whole(row)

    did = transition.act(row.pk)

    after = whole(row)
    if becomes is None:
        assert after == before
        assert not did
        return
    expected = {**before, "state": becomes, **transition.writes(before, becomes)}
    if after["state"] in HELD and before["state"] not in HELD:
        assert after["lease_token"] not in {None, MINE, ANOTHERS}
        after["lease_token"] = None
    assert after == expected
    assert bool(did) is (state not in transition.quiet)


def check_wrong(make, template, states, transition, wrong):
    """Try it with a row in each state, one after the other."""
    wrote: dict[tuple[str, str], Any] = {}
    for state in states:
        if (wrong.held and state not in HELD) or (wrong.over and state in OPEN):
            continue
        with transaction.atomic():
            row = prepared(make, state, template, transition, wrong)
            wrong.around(row)
            named = prepared(make, state, template, transition) if wrong.other_row else row
            before = whole(row)
            transition.act(named.pk, **wrong.call)
            after = whole(row)
            wrote |= {(state, name): after[name] for name in before if after[name] != before[name]}
            transaction.set_rollback(True)
    assert wrote == {}


@pytest.fixture
def order_created(settings):
    settings.NOTIFICATION_CHANNELS = {
        name: {"BACKEND": "notifications.channels.fake.FakeChannel"} for name in ("email", "sms")
    }
    return make_template("ORDER_CREATED")


@pytest.mark.parametrize(("state", "transition", "becomes"), params(EVENTS, EVENT_TRANSITIONS))
def test_a_guard_lets_an_event_pass_in_the_right_state_only(order_created, state, transition, becomes):
    check_right(make_event, order_created, state, transition, becomes)


@pytest.mark.parametrize(("state", "transition", "becomes"), params(DELIVERIES, DELIVERY_TRANSITIONS))
def test_a_guard_lets_a_delivery_pass_in_the_right_state_only(order_created, state, transition, becomes):
    check_right(make_delivery, order_created, state, transition, becomes)


@pytest.mark.parametrize(("transition", "wrong"), wrong_params(EVENT_TRANSITIONS))
def test_a_guard_leaves_an_event_alone_in_every_state_when_something_is_wrong(order_created, transition, wrong):
    check_wrong(make_event, order_created, EventState.values, transition, wrong)


@pytest.mark.parametrize(("transition", "wrong"), wrong_params(DELIVERY_TRANSITIONS))
def test_a_guard_leaves_a_delivery_alone_in_every_state_when_something_is_wrong(order_created, transition, wrong):
    check_wrong(make_delivery, order_created, DeliveryState.values, transition, wrong)


@pytest.mark.parametrize(
    ("table", "states", "transitions"),
    [(EVENTS, EventState, EVENT_TRANSITIONS), (DELIVERIES, DeliveryState, DELIVERY_TRANSITIONS)],
    ids=["events", "deliveries"],
)
def test_the_tables_leave_out_no_state_and_no_transition(table, states, transitions):
    assert set(cells(table)) == {(state, name) for state in states.values for name in transitions}


@pytest.mark.parametrize("number", [1, 2])
def test_what_goes_by_the_set_takes_no_more_than_it_may(order_created, number):
    models: dict[Any, str] = {Event: "dispatching", Delivery: "sending"}
    for model, state in models.items():
        for index in range(3):
            MAKE[model](state, template=order_created, address=str(index), lease_until=NOW - SECOND)
        assert claiming.reclaim(model, now=NOW, limit=number) == number
        assert model.objects.filter(state=state).count() == 3 - number
