"""Deliveries of one channel → claim, render, send in turn, settle. Every try leaves a row."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from notifications import clock, conf, registry, signals, wakeups
from notifications.exceptions import AmbiguousError, MisconfiguredError
from notifications.models import Delivery, Event
from notifications.pipeline import breaker, claiming, composing, pacing, pausing, settling, sizing
from notifications.pipeline.draining import places
from notifications.types import DeliveryState, Priority, Reason
from notifications.values import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from uuid import UUID

    from notifications.pipeline.claiming import Claim
    from notifications.values import Adapter, Receipt

#: Seconds a batch should take.
MOMENT = 1.0
#: Seconds before the end of the lease from which nothing more is begun.
LEASE_MARGIN = 5.0
#: Seconds after which a batch looks again whether it still holds its rows and nobody has cancelled their events.
LOOK_AGAIN = 0.5


def deliver_batch(channel: str, *, more: Callable[[], None]) -> int:
    """Deliver a batch of due deliveries of a channel; return how many were claimed."""
    config, now = conf.current(), clock.now()
    held = pausing.current(now)
    number = held.open_backend(channel)
    if number is None:
        return 0
    way = _Way(channel=channel, number=number)
    rate = config.rate(channel) * held.ramp(way.backend.key, now)
    # Measured before the claim, so that our idea of the lease ends before everybody else's.
    deadline = time.monotonic() + config.lease - LEASE_MARGIN
    # What is sent one by one is taken in small numbers: a worker that dies leaves no more behind, to be tried alone.
    most = max(way.adapter.batch_size, sizing.FIRST)
    size = sizing.size(channel, most=min(config.delivery_batch, most))
    if rate:
        # Whatever it could do: what comes later and is more urgent must not wait behind more than a second's turns.
        size = min(size, max(int(rate), 1))
    claim = claiming.claim(
        Delivery,
        priorities=list(Priority),
        now=now,
        lease=config.lease_time,
        limit=size,
        channel=channel,
        templates_held=held.templates,
        broadcasts_held=held.broadcasts,
    )
    if claim.more:
        more()
    if not claim.rows:
        return 0
    batch = _Batch(way, claim, rate, deadline)
    with sizing.measured(channel, len(claim.rows), full=claim.full, moment=MOMENT):
        batch.run()
    # Out of turns, there is nothing to claim for either: the drain ends, and is rung for.
    return 0 if batch.out_of_turns else len(claim.rows)


class _Way:
    """The backend that a batch goes out by: the first of its channel that is not held."""

    def __init__(self, *, channel: str, number: int) -> None:
        self.channel, self.number = channel, number
        self.backend: conf.Backend = conf.backends(channel)[number]
        self.adapter: Adapter = registry.adapter(channel, number)

    @property
    def name(self) -> str:
        return self.backend.name or type(self.adapter).__name__

    def is_held(self) -> bool:
        """Tell whether the batch must stop: nothing may go out, or by another backend."""
        return pausing.current(clock.now()).open_backend(self.channel) != self.number

    def has_stand_in(self) -> bool:
        """Tell whether another backend may send."""
        return pausing.current(clock.now()).open_backend(self.channel, besides=self.number) is not None


class _Batch:
    """Claimed deliveries on their way through one adapter."""

    def __init__(self, way: _Way, claim: Claim[Delivery], rate: float, deadline: float) -> None:
        self._way = way
        self._channel = way.channel
        self._actor = wakeups.deliver_actor(way.channel)
        self._token = claim.token
        self._rows = {row.pk: row for row in claim.rows}
        self._adapter = way.adapter
        self._rate = rate
        self._deadline = deadline
        self._looked_at = time.monotonic()
        self._lost: set[UUID] = set()
        self._cancelled: set[UUID] = set()
        self._is_held = False
        self.out_of_turns = False

    def run(self) -> None:
        """Send what can be sent, and put back what cannot."""
        messages = self._messages()
        # Where one call begins the whole batch, or none of it may be begun in vain, only what is begun is taken.
        alone = self._adapter.at_most_once and not self._adapter.sends_together
        size = 1 if alone else max(self._adapter.batch_size, 1)
        while messages and not self._must_stop():
            batch, messages = messages[:size], messages[size:]
            messages = self._still_meant(self._send(batch) + messages)
        if messages:
            claiming.release(Delivery, [message.delivery_id for message in messages], self._token)
        if self.out_of_turns:
            later = clock.now() + timedelta(seconds=pacing.MAX_WAIT / 2)
            wakeups.ring(self._actor, later)

    def _must_stop(self) -> bool:
        over = self.out_of_turns or self._is_held
        return over or places.stopping.is_set() or time.monotonic() >= self._deadline

    def _turn(self, number: int) -> bool:
        """Wait until `number` messages may go out; False: not now."""
        seconds = pacing.reserve(self._channel, number, self._rate)
        if seconds is None:
            self.out_of_turns = True
            return False
        return pacing.wait(seconds, places.stopping.wait) and not self._must_stop()

    def _look_again(self, batch: list[Message]) -> bool:
        """Look, now and then, whether rows were lost or cancelled meanwhile; return whether any of this batch was."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN:
            return False
        self._looked_at = time.monotonic()
        self._look_for_pause()
        pks = [message.delivery_id for message in batch]
        held = set(Delivery.objects.filter(pk__in=pks, lease_token=self._token).values_list("pk", flat=True))
        event_ids = {self._rows[pk].event_id for pk in pks}
        gone = Event.objects.filter(pk__in=event_ids, cancelled_at__isnull=False).values_list("pk", flat=True)
        called_back = set(gone)
        self._lost = {pk for pk in pks if pk not in held}
        self._cancelled = {pk for pk in held if self._rows[pk].event_id in called_back}
        return bool(self._lost or self._cancelled or self._is_held)

    def _look_for_pause(self) -> None:
        self._is_held = self._way.is_held()

    def _still_meant(self, messages: list[Message]) -> list[Message]:
        """Settle what was cancelled, leave what was lost to its new holder, and return the rest."""
        ended = [self._rows[message.delivery_id] for message in messages if message.delivery_id in self._cancelled]
        for row in ended:
            row.state, row.reason = DeliveryState.CANCELLED, Reason.EVENT_CANCELLED
        settling.finish(ended, self._token)
        gone = self._lost | self._cancelled
        return [message for message in messages if message.delivery_id not in gone]

    def _messages(self) -> list[Message]:
        """Return what is to be sent; settle what is not, put off what is not to be sent now."""
        messages, others = [], []
        for row, composed in composing.compose(self._rows.values(), now=clock.now()):
            if isinstance(composed, Message):
                messages.append(composed)
                continue
            row.state, row.reason = composed.state, composed.reason
            if composed.due_at is not None:
                row.due_at = composed.due_at
            else:
                row.last_error = composed.detail
            others.append(row)
        settling.finish(others, self._token)
        return messages

    def _send(self, batch: list[Message]) -> list[Message]:
        """Send a batch, settling what has a result; return those that were not begun."""
        together = self._adapter.sends_together
        if not self._turn(len(batch) if together else 1) or self._look_again(batch):
            return batch
        if self._adapter.at_most_once:
            batch = [message for message in batch if self._begin(message)]
        with closing(self._results(batch)) as results:
            return self._settle_together(batch, results) if together else self._settle_each(batch, results)

    def _begin(self, message: Message) -> bool:
        """Note that the provider is about to be called; False: the lease was lost."""
        row, now = self._rows[message.delivery_id], clock.now()
        row.started_at = now
        return claiming.stamp_started(row.pk, self._token, now)

    def _settle_together(self, batch: list[Message], results: Iterator[Receipt | Exception]) -> list[Message]:
        """One call carries them all: they are settled together, too."""
        started_at, started = clock.now(), time.monotonic()
        with sizing.calling(self._actor):
            found = list(islice(results, len(batch)))
        duration = timedelta(seconds=time.monotonic() - started)
        done = found + [_no_result() for _ in batch[len(found) :]]
        tries = [settling.Try(result=result, started_at=started_at, duration=duration) for result in done]
        rows = [self._rows[message.delivery_id] for message in batch]
        self._record(list(zip(rows, tries, strict=True)))
        self._note(*done)
        return []

    def _settle_each(self, batch: list[Message], results: Iterator[Receipt | Exception]) -> list[Message]:
        """Each is settled before the next goes out: after a crash, no more than one is in doubt."""
        for index, message in enumerate(batch):
            if index and (not self._turn(1) or self._look_again(batch[index:])):
                return batch[index:]
            started_at, started = clock.now(), time.monotonic()
            result = next(results, None) or _no_result()
            duration = timedelta(seconds=time.monotonic() - started)
            done = settling.Try(result=result, started_at=started_at, duration=duration)
            self._record([(self._rows[message.delivery_id], done)])
            self._note(result)
            if self._is_held or (isinstance(result, _Broken) and not self._adapter.at_most_once):
                return batch[index + 1 :]
        return []

    def _record(self, tries: list[tuple[Delivery, settling.Try]]) -> None:
        # With another backend at hand, nothing waits until this one, which is held from now on, is mended.
        spoilt = any(isinstance(done.result, MisconfiguredError) for _, done in tries)
        goes_on = spoilt and self._adapter.one_provider and self._way.has_stand_in()
        pause = timedelta(0) if goes_on else breaker.FIRST
        settling.record(tries, self._token, self._adapter, backend=self._way.name, pause=pause)

    def _note(self, *results: Receipt | Exception) -> None:
        if not self._adapter.one_provider:
            # The failures of one address say nothing of the others; what is wrong with us does.
            results = tuple(result for result in results if isinstance(result, MisconfiguredError))
        if results and breaker.note(self._way.backend.key, *results, now=clock.now()):
            self._look_for_pause()

    def _results(self, batch: list[Message]) -> Generator[Receipt | Exception]:
        try:
            yield from self._adapter.send_batch(batch)
        except Exception as e:  # noqa: BLE001 - the edge: an adapter's bug is one failed try, not a lost batch
            signals.adapter_failed.send(_Batch, adapter=type(self._adapter).__name__, error=e)
            yield _Broken(f"The adapter raised {type(e).__name__}.", code=type(e).__name__)


def _no_result() -> AmbiguousError:
    return AmbiguousError("The adapter gave no result.", code="no_result")


class _Broken(AmbiguousError):
    """The adapter raised something it should have yielded."""
