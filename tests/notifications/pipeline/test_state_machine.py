"""
The pipeline as one state machine: whatever order things happen in, whoever dies at whichever point, the promises hold.

Hypothesis publishes, dispatches, delivers, cancels, redrives, turns the clock, and lets holders die or come back late,
with the real functions on the real database. The provider is ours and remembers every call, so the promises are judged
by what it saw, not by what the tables say. After each step the books must balance (`services.audit`); at the end of each
story the clock runs on until nothing is open, and everything that was committed must be delivered or explained.

By default a quick look. For a long one:

    HYPOTHESIS_EXAMPLES=3000 .venv/bin/python -m pytest tests/notifications/pipeline/test_state_machine.py

and the same behind `.venv/bin/python -m tests.services --` for PostgreSQL. A failure prints the shortest story that
leads to it, as a program, and a blob for `@reproduce_failure`.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from notifications import clock, registry
from notifications.channels.base import ChannelAdapter
from notifications.exceptions import (
    AmbiguousError,
    IdempotencyConflict,
    MisconfiguredError,
    PermanentError,
    TransientError,
)
from notifications.maintenance import expirer, reclaimer
from notifications.models import Attempt, Broadcast, Delivery, Event, Notification, Pause, Preference
from notifications.pipeline import (
    breaker,
    cancelling,
    claiming,
    delivery,
    dispatch,
    pausing,
    planning,
    settling,
    sizing,
    wording,
)
from notifications.publishing import cancel_event, publish_batch_notification, publish_notification
from notifications.services import audit, redrive
from notifications.services.audit import Kind
from notifications.services.failed import Selection
from notifications.types import Cadence, DeliveryState, EventState, Priority, Reason
from notifications.values import Message, Receipt
from tests import adapters

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "35"))
STEPS = 30

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=60)
LENGTHS = {"a second": 1, "some seconds": 5, "half a minute": 30, "a lease": 61, "minutes": 400, "hours": 8000}
#: E-mail goes at least once, text messages at most once.
CHANNELS = ("email", "sms")
channels = st.sampled_from(CHANNELS)

#: What is only true when the clock's jobs keep up: here they run when a rule says so, or at the end.
STUCK = {Kind.EVENT_OVERDUE, Kind.DELIVERY_OVERDUE, Kind.EVENT_OVERHELD, Kind.DELIVERY_OVERHELD}
#: Of events and deliveries.
FINAL = {"dispatched", "sent", "suppressed", "cancelled", "expired"}
#: How the provider may answer. What it accepted without an answer is "lost"; what it never saw is "unseen".
ANSWERS: dict[str, Callable[[], Receipt | Exception]] = {
    "accepted": lambda: Receipt(backend="ours", provider_message_id="p"),
    "transient": lambda: TransientError("Not now.", code="450"),
    "patience": lambda: TransientError("Later.", code="429", retry_after=timedelta(seconds=90)),
    "permanent": lambda: PermanentError("Never.", code="550"),
    "lost": lambda: AmbiguousError("The line dropped.", code="timeout"),
    "unseen": lambda: AmbiguousError("The line dropped.", code="timeout"),
    "misconfigured": lambda: MisconfiguredError("Wrong key.", code="401"),
    "bug": ZeroDivisionError,
}
REFUSALS = {"transient", "patience", "permanent", "misconfigured"}


class Killed(BaseException):
    """The process is gone: nothing catches this, as nothing catches a SIGKILL."""


# --- The provider ---------------------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Call:
    """What the provider saw, and what became of its answer."""

    delivery_id: UUID
    #: None: there is none yet, and perhaps never.
    answer: str | None = None
    #: Did the caller still hold the row when the answer came?
    in_time: bool = False
    #: Did the caller write the attempt down? None: it may have, before it died.
    recorded: bool | None = None
    #: Those that went by the same request, this one among them.
    batch: list[Call] = field(default_factory=list, repr=False)

    @property
    def may_have_arrived(self) -> bool:
        return self.answer not in REFUSALS


@dataclass(slots=True, kw_only=True)
class Script:
    """How one call goes: what happens while it runs, how it ends, and whether the caller lives to hear of it."""

    meanwhile: list[str] = field(default_factory=list)
    answer: str = "accepted"
    dies: bool = False


@dataclass(slots=True, kw_only=True)
class Session:
    """A sender at work: what it knew when it began, and the calls it has made."""

    began_at: datetime
    token: UUID | None
    #: Events that were cancelled before.
    cancelled: frozenset[UUID]
    calls: list[Call] = field(default_factory=list)


class Provider(ChannelAdapter):
    """Answers by the script, and tells the story of each call."""

    def __init__(self, story: Story, *, at_most_once: bool) -> None:
        self._story = story
        self.batch_size = 3  # type: ignore[misc]
        self.at_most_once = at_most_once  # type: ignore[misc]

    def send_batch(self, messages):
        if not self.sends_together:
            for message in messages:
                yield self._answer(self._called(message))
            return
        calls = [self._called(message) for message in messages]
        for call in calls:
            call.batch = calls
        for call in calls:
            yield self._answer(call)

    def _called(self, message: Message) -> Call:
        with self._story.watched():
            call: Call = self._story.called(message.delivery_id)
        return call

    def _answer(self, call: Call) -> Receipt | Exception:
        with self._story.watched():
            script = self._story.answers(call)
        if script.dies:
            raise Killed
        answer = ANSWERS[script.answer]()
        if isinstance(answer, ZeroDivisionError):
            raise answer
        return answer


def holds(pk: UUID, token: UUID | None) -> bool:
    return Delivery.objects.filter(pk=pk, lease_token__isnull=False, lease_token=token).exists()


def claim_deliveries(channel: str, limit: int) -> claiming.Claim[Delivery]:
    return claiming.claim(
        Delivery, priorities=list(Priority), now=clock.now(), lease=LEASE, limit=limit, channel=channel
    )


answers = st.sampled_from(["accepted", *sorted(ANSWERS)])
returns = st.sampled_from(["in time", "a little later", "when it was cancelled", "late", "after others"])
scripts = st.builds(
    Script,
    meanwhile=st.lists(
        st.sampled_from(
            ["the lease is lost", "it is cancelled", "others deliver", "others die", "redrive", "expire", "a lease"]
        ),
        max_size=3,
    ),
    answer=answers,
    dies=st.sampled_from([False, False, False, True]),
)


# --- Trouble with the database --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Trouble:
    """Raise at the statement of this number, and at each after it if it `lasts`; counting only those with a text."""

    error: type[BaseException]
    at: int
    lasts: bool = False
    only: str = ""
    seen: int = 0

    def __call__(self, execute, sql, params, many, context):
        if self.only in sql:
            self.seen += 1
            if self.seen == self.at or (self.lasts and self.seen > self.at):
                raise self.error
        return execute(sql, params, many, context)


# --- The story ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was committed, in our own books."""

    recipients: tuple[int, ...]
    duplicates: int
    channels: tuple[str, ...]
    expires: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A call whose answer is still to come."""

    row: Delivery
    token: UUID
    channel: str
    call: Call


#: Ids of no user.
NOBODY = range(900_000, 900_046)

who = st.lists(st.sampled_from(["alice", "alice", "bob", "charlie", "nobody"]), min_size=1, max_size=4)
requests = st.fixed_dictionaries(
    {
        "people": who,
        "crowd": st.sampled_from([False, False, False, True]),
        "priority": st.sampled_from([Priority.URGENT, Priority.NORMAL, Priority.NORMAL, Priority.LOW]),
        "delay": st.sampled_from([0, 0, 0, 0, 5, 90]),
        "expires_in": st.sampled_from([None, None, None, 3, 120]),
        "channels": st.sampled_from([None, None, ("sms",), ("email", "sms"), ("in_app",)]),
    }
)
#: What is there to be worked on when a story begins.
first_requests = st.fixed_dictionaries(
    {
        "people": who.map(lambda people: ["alice", *people]),
        "crowd": st.just(False),
        "priority": st.just(Priority.NORMAL),
        "delay": st.just(0),
        "expires_in": st.sampled_from([None, None, 3, 120]),
        "channels": st.sampled_from([None, ("email", "sms"), ("sms",)]),
    }
)


def when(what: str) -> Callable[[Callable], Callable]:
    """Let a rule come up only when there is something for it to do: most steps of a story shall do something."""
    return precondition(lambda story: what in story.there)


class Story(RuleBasedStateMachine):
    """What may happen, and what must hold."""

    events = Bundle("events")
    event_claims = Bundle("event_claims")
    plans = Bundle("plans")
    claims = Bundle("claims")
    calls_in_flight = Bundle("calls_in_flight")

    #: Name → id, and the channels that reach them.
    people: dict[str, tuple[int, frozenset[str]]]
    #: Say how often senders look whether their rows were cancelled or lost.
    look_again_after: Callable[[float], None]

    def __init__(self) -> None:
        super().__init__()
        for model in (Attempt, Delivery, Notification, Event, Broadcast, Pause):
            model._default_manager.all().delete()
        breaker.forget()
        pausing.forget()
        sizing.forget()
        self.published: dict[UUID, Published] = {}
        self.keys: dict[str, tuple[Any, UUID]] = {}
        self.uses_of_keys = self.cancels = self.moves = 0
        self.cancelled: set[UUID] = set()
        self.calls: dict[UUID, list[Call]] = defaultdict(list)
        #: So many of a delivery's calls do not count: staff sent it round again knowing that it may have arrived.
        self.forgiven: Counter[UUID] = Counter()
        self.seen_over: dict[UUID, str] = {}
        self.looks = True
        self.books: Any = None
        #: What there is to be done: "event due".
        self.there: set[str] = set()
        self.scripts: list[Script] = []
        self.sessions: list[Session] = []
        self.wrong: list[Exception] = []
        self.adapters = {
            "email": Provider(self, at_most_once=False),
            "sms": Provider(self, at_most_once=True),
        }
        # Which one stands behind `tests.adapters.in_use` is asked once for each channel.
        registry.close_adapters()
        for channel, adapter in self.adapters.items():
            adapters.use(adapter)
            assert registry.adapter(channel) is adapter
        self.travel = time_machine.travel(START, tick=False)
        self.traveller = self.travel.start()

    @initialize(together=st.booleans(), looks=st.booleans())
    def senders_are_set_up(self, together, looks):
        self.adapters["sms"].sends_together = together  # type: ignore[misc]
        self.looks = looks
        # Before each call, so that what was cancelled or lost is seen at once; or never, so that the rest must do.
        self.look_again_after(0.0 if looks else 3600.0)

    @initialize(
        target=events,
        requests=st.lists(first_requests, min_size=1, max_size=2),
        dispatched=st.sampled_from([True, True, False]),
    )
    def something_happened_before(self, requests, dispatched):
        events = [self.publish_one(request) for request in requests]
        if dispatched:
            self.dispatch_batch()
        return multiple(*events)

    # --- Holders come back, some of them late ---

    def comes_back(self, when, channel="", event_ids=()):
        """Let something happen before a holder comes back; return the claim of those who have taken its rows."""
        if when == "a little later":
            self.pass_time(LENGTHS["some seconds"])
        elif when == "when it was cancelled":
            for event_id in event_ids:
                self.call_back(event_id)
        elif when in {"late", "after others"}:
            self.pass_time(LENGTHS["a lease"])
            reclaimer.run_once(clock.now(), 500)
        return self.claim_of(channel, 50) if channel and when == "after others" else multiple()

    def claim_of(self, channel, limit):
        claim = claim_deliveries(channel, limit)
        return (channel, claim) if claim.rows else multiple()

    # --- Publishing and calling back ---

    def arguments(self, people, crowd, priority, delay, expires_in, channels):
        recipients = [self.people[name][0] if name in self.people else NOBODY[0] for name in people]
        recipients += NOBODY if crowd else []
        options = {
            "variables": {"order_number": "ORD-1"},
            "priority": priority,
            "delay": timedelta(seconds=delay) if delay else None,
            "expires_in": timedelta(seconds=expires_in) if expires_in else None,
            "channels": channels,
        }
        return recipients, options

    def note(self, event_id, recipients, options):
        unique = tuple(dict.fromkeys(recipients))
        assert event_id not in self.published
        self.published[event_id] = Published(
            recipients=unique,
            duplicates=len(recipients) - len(unique),
            channels=options["channels"] or ("in_app", "email", "sms"),
            expires=options["expires_in"] is not None,
        )
        return event_id

    # Once all is over, there had better be something new.
    @precondition(lambda story: len(story.published) < 3 or story.there <= {"failed"})
    @rule(target=events, request=requests, rolled_back=st.sampled_from([False, False, False, True]))
    def publish(self, request, rolled_back):
        if not rolled_back:
            return self.publish_one(request)
        recipients, options = self.arguments(**request)
        with transaction.atomic():
            publish_batch_notification("ORDER_CREATED", recipients=recipients, **options)
            transaction.set_rollback(True)
        return multiple()

    def publish_one(self, request):
        recipients, options = self.arguments(**request)
        if len(recipients) == 1:
            event_id = publish_notification("ORDER_CREATED", recipient=recipients[0], **options).id
        else:
            (event_id,) = publish_batch_notification("ORDER_CREATED", recipients=recipients, **options).event_ids
        return self.note(event_id, recipients, options)

    @precondition(lambda story: story.uses_of_keys < 4)
    @rule(target=events, request=requests, key=st.sampled_from(["k1", "k2"]), same=st.booleans())
    def publish_by_key(self, request, key, same):
        self.uses_of_keys += 1
        first, event_id = self.keys.get(key, (request, None))
        recipients, options = self.arguments(**(first if same else request))
        number = Event.objects.count()
        try:
            batch = publish_batch_notification("ORDER_CREATED", recipients=recipients, idempotency_key=key, **options)
        except IdempotencyConflict:
            assert event_id is not None
            assert not same
            return multiple()
        if event_id is None:
            assert batch.created
            self.keys[key] = (request, batch.event_ids[0])
            return self.note(batch.event_ids[0], recipients, options)
        assert (batch.created, batch.event_ids) == (False, (event_id,))
        assert Event.objects.count() == number
        return multiple()

    @precondition(lambda story: story.cancels < 3)
    @rule(event_id=events)
    def cancel(self, event_id):
        self.cancels += 1
        self.call_back(event_id)

    def call_back(self, event_id):
        state = Event.objects.get(pk=event_id).state
        waiting = Delivery.objects.filter(event_id=event_id, state=DeliveryState.PENDING).exists()

        did = cancel_event(event_id)

        assert did == (state in {EventState.PENDING, EventState.DISPATCHING} or waiting)
        if state not in {EventState.CANCELLED, EventState.EXPIRED}:
            self.cancelled.add(event_id)

    @precondition(lambda story: story.moves < 3 and "event pending" in story.there)
    @rule(event_id=events, seconds=st.sampled_from([0, 30]))
    def reschedule(self, event_id, seconds):
        self.moves += 1
        waits = Event.objects.get(pk=event_id).state == EventState.PENDING

        assert cancelling.reschedule(event_id, due_at=clock.now() + timedelta(seconds=seconds)) == waits

    # --- Dispatch ---

    def dispatch_batch(self, trouble=None):
        with connection.execute_wrapper(trouble) if trouble else nullcontext():
            dispatch.dispatch_batch(Priority.LOW, more=lambda: None)

    @when("event due")
    @rule()
    def dispatch(self):
        self.dispatch_batch()

    @when("event due")
    @rule(
        error=st.sampled_from([Killed, OperationalError, ZeroDivisionError]), at=st.integers(1, 14), lasts=st.booleans()
    )
    def dispatch_in_trouble(self, error, at, lasts):
        """The worker dies, or the database is away, or the events cannot be written."""
        trouble = Trouble(error, at, lasts)
        if error is ZeroDivisionError:
            trouble = Trouble(error, 1, lasts, 'INSERT INTO "notifications_notification"')
        with suppress(Killed, OperationalError):
            self.dispatch_batch(trouble)

    @when("event due")
    @rule(target=event_claims, limit=st.sampled_from([1, 3, 50]))
    def claim_events(self, limit):
        claim = claiming.claim(Event, priorities=list(Priority), now=clock.now(), lease=LEASE, limit=limit)
        return claim if claim.rows else multiple()

    @rule(claim=consumes(event_claims), when=returns, others=st.booleans())
    def dispatch_what_was_claimed(self, claim, when, others):
        self.comes_back(when, event_ids=[event.pk for event in claim.rows])
        if others:
            self.dispatch_batch()
        dispatch._dispatch(claim)

    @rule(target=plans, claim=consumes(event_claims))
    def plan_what_was_claimed(self, claim):
        return claim.token, planning.plan_events(claim.rows, now=clock.now())

    @rule(plan=consumes(plans), when=returns, others=st.booleans())
    def write_what_was_planned(self, plan, when, others):
        token, planned = plan
        self.comes_back(when, event_ids=[row.event.pk for row in planned])
        if others:
            self.dispatch_batch()
        dispatch._write(planned, token)

    # --- Delivery ---

    def send(self, run, token=None):
        """Run a sender to its end, or to its death; whom it was told, it has then written down."""
        session = self.session(token)
        self.sessions.append(session)
        try:
            run()
            for call in session.calls:
                call.recorded = True
        except Killed:
            pass
        finally:
            self.sessions.pop()
        for error in self.wrong:
            raise error

    def session(self, token):
        return Session(began_at=clock.now(), token=token, cancelled=frozenset(self.cancelled))

    def deliver_batch(self, channel, trouble=None):
        with connection.execute_wrapper(trouble) if trouble else nullcontext():
            self.send(lambda: delivery.deliver_batch(channel, more=lambda: None))

    @when("delivery due")
    @rule(channel=channels, script=st.lists(scripts, min_size=1, max_size=4))
    def deliver(self, channel, script):
        self.scripts = script
        self.deliver_batch(channel)
        self.scripts = []

    @when("delivery due")
    @rule(channel=channels, at=st.integers(1, 20), answer=answers)
    def deliver_and_die(self, channel, at, answer):
        self.scripts = [Script(answer=answer)]
        self.deliver_batch(channel, Trouble(Killed, at))
        self.scripts = []

    @when("delivery due")
    @rule(target=claims, channel=channels, limit=st.sampled_from([1, 2, 50]))
    def claim_deliveries(self, channel, limit):
        return self.claim_of(channel, limit)

    @rule(target=claims, claimed=consumes(claims), when=returns, script=st.lists(scripts, min_size=1, max_size=4))
    def send_what_was_claimed(self, claimed, when, script):
        channel, claim = claimed
        return self.send_claimed(channel, claim, when, script)

    @when("delivery due")
    @rule(
        target=claims,
        channel=channels,
        limit=st.sampled_from([2, 50]),
        when=returns,
        script=st.lists(scripts, max_size=2),
    )
    def deliver_slowly(self, channel, limit, when, script):
        return self.send_claimed(channel, claim_deliveries(channel, limit), when, script)

    def send_claimed(self, channel, claim, when, script):
        others = self.comes_back(when, channel, {row.event_id for row in claim.rows})
        self.scripts = script
        way = delivery._Way(channel=channel, number=0)
        batch = delivery._Batch(way, claim, 0.0, time.monotonic() + 50)
        self.send(batch.run, claim.token)
        self.scripts = []
        return others

    @rule(target=claims, claimed=consumes(claims), when=returns)
    def put_back_what_was_claimed(self, claimed, when):
        channel, claim = claimed
        others = self.comes_back(when, channel)
        claiming.release(Delivery, [row.pk for row in claim.rows], claim.token)
        return others

    @when("delivery due")
    @rule(target=calls_in_flight, channel=channels)
    def begin_a_call(self, channel):
        """Go as far as a worker whose provider does not answer."""
        claim = claim_deliveries(channel, 1)
        for row in claim.rows:
            too_late = row.expires_at is not None and row.expires_at <= clock.now()
            if not too_late and row.event_id not in self.cancelled:
                return self.call_of(row, channel, claim.token)
        return multiple()

    def call_of(self, row, channel, token):
        if channel == "sms":
            assert claiming.stamp_started(row.pk, token, clock.now())
        self.sessions.append(self.session(token))
        call = self.called(row.pk)
        self.sessions.pop()
        call.recorded = False
        return InFlight(row=row, token=token, channel=channel, call=call)

    @rule(target=claims, begun=consumes(calls_in_flight), when=returns, answer=answers)
    def the_answer_comes(self, begun, when, answer):
        others = self.comes_back(when, begun.channel, [begun.row.event_id])
        begun.call.answer = answer
        begun.call.in_time = holds(begun.row.pk, begun.token)
        given = ANSWERS[answer]()
        result = AmbiguousError("A bug.") if isinstance(given, ZeroDivisionError) else given
        done = settling.Try(result=result, started_at=clock.now(), duration=timedelta(seconds=1))
        settling.record([(begun.row, done)], begun.token, self.adapters[begun.channel])
        begun.call.recorded = True
        return others

    @contextmanager
    def watched(self):
        """Keep what is found wrong inside a provider: the pipeline takes any error there for one of the adapter's."""
        try:
            yield
        except Exception as e:
            self.wrong.append(e)
            raise

    def answers(self, call):
        """Let things happen while the provider is being called; return how the call ends."""
        script = self.scripts.pop(0) if self.scripts else Script()
        session = self.sessions[-1]
        for what in script.meanwhile:
            self.meanwhile(what, call)
        # Those that go together are written down together: after the last answer, or after this one, if it is that.
        for other in call.batch or [call]:
            other.in_time = holds(other.delivery_id, session.token)
        call.answer = script.answer
        if script.dies:
            call.recorded = False
        return script

    def called(self, delivery_id):
        """Take note of a call, and judge whether it may be made."""
        session, row = self.sessions[-1], Delivery.objects.get(pk=delivery_id)
        session.token = session.token or row.lease_token
        # Who does not look between two calls may send an e-mail that others send, too; but no text message.
        if self.looks or row.channel == "sms":
            assert row.state == DeliveryState.SENDING, f"called while it is {row.state}"
            assert row.lease_token == session.token, "called by somebody who does not hold it"
        seen = self.cancelled if self.looks else session.cancelled
        assert row.event_id not in seen, "called after it was cancelled"
        assert row.expires_at is None or row.expires_at > session.began_at, "called too late"
        if row.channel == "sms":
            assert row.started_at is not None
            before = self.calls[delivery_id][self.forgiven[delivery_id] :]
            assert not any(call.may_have_arrived for call in before), "a second text message"
        call = Call(delivery_id=delivery_id)
        self.calls[delivery_id].append(call)
        session.calls.append(call)
        return call

    def meanwhile(self, what, call):
        """Let something happen while a provider is being called."""
        if what == "it is cancelled":
            event_id = Delivery.objects.get(pk=call.delivery_id).event_id
            self.call_back(event_id)
        elif what in LENGTHS:
            self.pass_time(LENGTHS[what])
        elif what == "the lease is lost":
            self.pass_time(LENGTHS["a lease"])
            reclaimer.run_once(clock.now(), 500)
        elif what == "expire":
            expirer.run_once(clock.now(), 500)
        elif what == "redrive":
            self.send_round_again(include_unknown=True)
        elif len(self.sessions) < 3:
            trouble = Trouble(Killed, 8) if what == "others die" else None
            for channel in CHANNELS:
                self.deliver_batch(channel, trouble)

    # --- The clock, and staff ---

    def pass_time(self, seconds):
        self.traveller.shift(seconds)
        # What a process remembers of pauses is forgotten after a second of its own time.
        pausing.forget()

    @when("waiting")
    @rule(length=st.sampled_from(sorted(LENGTHS)))
    def time_passes(self, length):
        self.pass_time(LENGTHS[length])

    @when("lease over")
    @rule()
    def reclaim(self):
        held = {
            (model, pk, token)
            for model in (Event, Delivery)
            for pk, token in model._default_manager.filter(lease_until__gte=clock.now()).values_list(
                "pk", "lease_token"
            )
        }

        reclaimer.run_once(clock.now(), 500)

        assert all(model._default_manager.filter(pk=pk, lease_token=token).exists() for model, pk, token in held)
        assert not Event.objects.filter(lease_until__lt=clock.now()).exists()
        assert not Delivery.objects.filter(lease_until__lt=clock.now()).exists()

    @when("too late")
    @rule()
    def expire(self):
        expirer.run_once(clock.now(), 500)

        for model in (Event, Delivery):
            assert not model._default_manager.filter(state="pending", expires_at__lte=clock.now()).exists()

    @when("failed")
    @rule(include_unknown=st.booleans())
    def redrive(self, include_unknown):
        self.send_round_again(include_unknown=include_unknown)

    def send_round_again(self, *, include_unknown):
        unknown = set(Delivery.objects.filter(state=DeliveryState.UNKNOWN).values_list("pk", flat=True))

        redrive.redrive(Selection(include_unknown=include_unknown), now=clock.now())

        again = set(Delivery.objects.filter(pk__in=unknown, state=DeliveryState.PENDING).values_list("pk", flat=True))
        assert include_unknown or not again
        self.forgiven.update({pk: len(self.calls[pk]) - self.forgiven[pk] for pk in again})

    # --- What must hold after each step ---

    @invariant()
    def all_is_in_order(self):
        events, deliveries = rows_by_id(Event, "state"), rows_by_id(Delivery, "state", "attempts")
        on_record = Counter(Attempt.objects.values_list("delivery_id", flat=True))
        self.what_is_over_stays_over(events, deliveries)
        self.each_try_is_on_record_and_counted_once(deliveries, on_record)
        self.there = set(there_is())
        # The audit costs more than all the rest: it is asked when there is something new to ask about.
        books = (events, deliveries, on_record)
        if books != self.books:
            assert [found for found in audit.audit(now=clock.now()).findings if found.kind not in STUCK] == []
        self.books = books

    def what_is_over_stays_over(self, events, deliveries):
        assert events.keys() == self.published.keys()
        assert self.seen_over.keys() <= events.keys() | deliveries.keys()
        for pk, (state, *_) in (events | deliveries).items():
            assert self.seen_over.get(pk, state) == state
            if state in FINAL:
                self.seen_over[pk] = state

    def each_try_is_on_record_and_counted_once(self, deliveries, on_record):
        for pk, calls in self.calls.items():
            _, counted = deliveries[pk]
            written = sum(call.recorded is True for call in calls)
            in_time = sum(call.recorded is True and call.in_time for call in calls)
            perhaps = sum(call.recorded is None for call in calls)
            assert written <= on_record[pk] <= written + perhaps
            assert in_time <= counted <= in_time + perhaps

    # --- The end ---

    def teardown(self):
        try:
            # A story that broke off has no end to judge.
            if sys.exc_info()[0] is None:
                self.let_the_clock_run()
                self.all_is_delivered_or_explained()
        finally:
            self.travel.stop()

    def let_the_clock_run(self):
        for _ in range(40):
            reclaimer.run_once(clock.now(), 500)
            expirer.run_once(clock.now(), 500)
            breaker.close_recovered(clock.now(), 500)
            while dispatch.dispatch_batch(Priority.LOW, more=lambda: None):
                pass
            for channel in CHANNELS:
                self.deliver_batch(channel)
            still = [*open_rows(Event), *open_rows(Delivery)]
            if not still:
                return
            # To what is due next, or the end of the next lease; what is due is held by a pause.
            instants = [until + timedelta(seconds=1) if until else due_at for due_at, until in still]
            later = [instant for instant in instants if instant > clock.now()]
            self.pass_time((min(later) - clock.now()).total_seconds() if later else 30)
        pytest.fail(f"still open: {still}")

    def all_is_delivered_or_explained(self):
        assert audit.audit(now=clock.now()).findings == ()
        assert audit.audit(now=clock.now() + timedelta(minutes=20)).findings == ()
        by_event = defaultdict(list)
        for row in Delivery.objects.all():
            by_event[row.event_id].append(row)
        told = Counter(Notification.objects.values_list("event_id", flat=True))
        events = Event.objects.in_bulk()
        for event_id, published in self.published.items():
            event, rows = events[event_id], by_event[event_id]
            if event.state != EventState.DISPATCHED:
                assert (rows, told[event_id]) == ([], 0)
                self.is_explained(event, published)
                continue
            known = [(pk, reached_by) for pk, reached_by in self.people.values() if pk in published.recipients]
            assert told[event_id] == len(known)
            assert event.unknown_count == len(published.recipients) - len(known)
            assert event.recipient_count == len(published.recipients) + published.duplicates
            planned: dict[tuple[int | None, str], bool] = {
                (pk, channel): channel in reached_by for pk, reached_by in known for channel in published.channels
            }
            assert event.planned_count == len(rows) == len(planned)
            for row in rows:
                self.is_the_truth(row, published, reachable=planned.pop((row.recipient_id, row.channel)))

    def is_explained(self, event, published):
        explained = {
            EventState.CANCELLED: event.pk in self.cancelled,
            EventState.EXPIRED: published.expires,
            EventState.FAILED: bool(event.last_error),
        }
        assert explained[event.state]

    def is_the_truth(self, row, published, *, reachable):
        """See that the state says what happened, as the provider saw it."""
        answers_given = {call.answer for call in self.calls[row.pk]}
        true = {
            DeliveryState.SUPPRESSED: not reachable and bool(row.reason),
            DeliveryState.SENT: row.channel == "in_app" or "accepted" in answers_given,
            DeliveryState.FAILED: row.reason in {Reason.REJECTED, Reason.RETRIES_EXHAUSTED, Reason.WORKER_CRASHED},
            DeliveryState.UNKNOWN: row.channel == "sms",
            DeliveryState.CANCELLED: row.event_id in self.cancelled and row.reason == Reason.EVENT_CANCELLED,
            DeliveryState.EXPIRED: published.expires and row.reason == Reason.EXPIRED,
        }
        assert true[row.state]
        assert reachable or row.state == DeliveryState.SUPPRESSED
        assert row.channel != "in_app" or row.state in {DeliveryState.SENT, DeliveryState.SUPPRESSED}


def rows_by_id(model, *names):
    return {pk: values for pk, *values in model._default_manager.values_list("pk", *names)}


def there_is() -> Iterator[str]:
    """Return what there is to be done at this instant."""
    now = clock.now()
    for name, model in (("event", Event), ("delivery", Delivery)):
        columns = ("state", "due_at", "expires_at", "lease_until")
        for state, due_at, expires_at, lease_until in model._default_manager.values_list(*columns):
            if state == "pending":
                yield f"{name} pending"
                yield f"{name} due" if due_at <= now else "waiting"
                if expires_at and expires_at <= now:
                    yield "too late"
            elif lease_until:
                yield "lease over" if lease_until < now else "waiting"
            elif state in {"failed", "unknown"}:
                yield "failed"


def open_rows(model):
    return model._default_manager.filter(finished_at__isnull=True).values_list("due_at", "lease_until")


@pytest.fixture
def people(alice, bob, charlie, template):
    """Alice is reached by everything, Bob has no phone, Charlie wants nothing by e-mail."""
    Preference.objects.create(recipient=charlie, category=template.category, channel="email", cadence=Cadence.OFF)
    return {
        "alice": (alice.pk, frozenset({"in_app", "email", "sms"})),
        "bob": (bob.pk, frozenset({"in_app", "email"})),
        "charlie": (charlie.pk, frozenset({"in_app"})),
    }


def test_whatever_happens_in_whatever_order_the_promises_hold(people, use, rung, monkeypatch):
    look_again_after = partial(monkeypatch.setattr, "notifications.pipeline.delivery.LOOK_AGAIN")
    monkeypatch.setattr(Story, "look_again_after", staticmethod(look_again_after), raising=False)
    monkeypatch.setattr(Story, "people", people, raising=False)
    # How fast this machine is today must not change a story that is told again.
    monkeypatch.setattr(sizing, "monotonic", lambda: 0.0)
    for remembering in (pausing, wording):
        monkeypatch.setattr(remembering, "MAX_AGE", math.inf)

    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
