"""Deliveries of one channel → claim, render, send in turn, settle. Every try leaves a row."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from notifications import clock, conf, registry, signals, wakeups
from notifications.exceptions import AmbiguousError, RenderError
from notifications.models import Delivery, Event
from notifications.pipeline import breaker, claiming, facts, pacing, pausing, settling, wording
from notifications.pipeline.draining import places
from notifications.types import Action, DeliveryState, Message, Priority, Reason, Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime
    from uuid import UUID

    from notifications.pipeline.claiming import Claim
    from notifications.pipeline.facts import Recipient
    from notifications.types import Adapter, Content, Receipt

#: Seconds before the end of the lease from which nothing more is begun.
LEASE_MARGIN = 5.0
#: Seconds after which a batch looks again whether it still holds its rows and nobody has cancelled their events.
LOOK_AGAIN = 0.5


def deliver_batch(channel: str, *, more: Callable[[], None]) -> int:
    """Deliver a batch of due deliveries of a channel; return how many were claimed."""
    config, now = conf.current(), clock.now()
    held = pausing.current(now)
    if held.holds_channel(channel):
        return 0
    adapter = registry.adapter(channel)
    rate = config.rate(channel) * held.ramp(channel, now)
    # Measured before the claim, so that our idea of the lease ends before everybody else's.
    deadline = time.monotonic() + config.lease - LEASE_MARGIN
    claim = claiming.claim(
        Delivery,
        priorities=list(Priority),
        now=now,
        lease=config.lease_time,
        # No more than a second's work: what comes later and is more urgent must not wait behind it.
        limit=min(config.delivery_batch, max(int(rate), 1)) if rate else config.delivery_batch,
        channel=channel,
        templates_held=held.templates,
        broadcasts_held=held.broadcasts,
    )
    if claim.full:
        more()
    if not claim.rows:
        return 0
    batch = _Batch(channel, claim, adapter, rate, deadline)
    batch.run()
    # Out of turns, there is nothing to claim for either: the drain ends, and is rung for.
    return 0 if batch.out_of_turns else len(claim.rows)


class _Batch:
    """Claimed deliveries on their way through one adapter."""

    def __init__(self, channel: str, claim: Claim[Delivery], adapter: Adapter, rate: float, deadline: float) -> None:
        self._channel = channel
        self._token = claim.token
        self._rows = {row.pk: row for row in claim.rows}
        self._adapter = adapter
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
            wakeups.ring(wakeups.deliver_actor(self._channel), later)

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
        self._is_held = pausing.current(clock.now()).holds_channel(self._channel)

    def _still_meant(self, messages: list[Message]) -> list[Message]:
        """Settle what was cancelled, leave what was lost to its new holder, and return the rest."""
        reason = Reason.EVENT_CANCELLED
        for message in messages:
            if message.delivery_id in self._cancelled:
                row = self._rows[message.delivery_id]
                settling.finish(row, self._token, state=DeliveryState.CANCELLED, reason=reason)
        gone = self._lost | self._cancelled
        return [message for message in messages if message.delivery_id not in gone]

    def _messages(self) -> list[Message]:
        """Render what is to be sent, in constant queries; settle what is not to be sent any more."""
        rows = list(self._rows.values())
        events = Event.objects.in_bulk([row.event_id for row in rows if row.event_id is not None])
        contents = wording.contents_of(row.version_id for row in rows if row.version_id is not None)
        people = facts.recipients(str(row.recipient_id) for row in rows if row.recipient_id is not None)
        now = clock.now()
        messages = []
        for row in rows:
            event = events.get(row.event_id) if row.event_id else None
            wordings = contents.get(row.version_id, ()) if row.version_id else ()
            try:
                messages.append(_message(row, event, wordings, people.get(str(row.recipient_id)), now))
            except _NotToBeSent as e:
                settling.finish(row, self._token, state=e.state, reason=e.reason, last_error=e.detail)
        return messages

    def _send(self, batch: list[Message]) -> list[Message]:
        """Send a batch, settling each message as its result comes; return those that were not begun."""
        together = self._adapter.sends_together
        if not self._turn(len(batch) if together else 1) or self._look_again(batch):
            return batch
        if self._adapter.at_most_once:
            now = clock.now()
            batch = [message for message in batch if claiming.stamp_started(message.delivery_id, self._token, now)]
        with closing(self._results(batch)) as results:
            for index, message in enumerate(batch):
                if index and not together and (not self._turn(1) or self._look_again(batch[index:])):
                    return batch[index:]
                started_at, started = clock.now(), time.monotonic()
                result = next(results, None) or AmbiguousError("The adapter gave no result.", code="no_result")
                duration = timedelta(seconds=time.monotonic() - started)
                done = settling.Try(result=result, started_at=started_at, duration=duration)
                settling.record(self._rows[message.delivery_id], self._token, done, self._adapter)
                if breaker.note(self._channel, result, now=clock.now()):
                    self._look_for_pause()
                if index + 1 < len(batch) and self._is_held and not together:
                    return batch[index + 1 :]
                if isinstance(result, _Broken) and not self._adapter.at_most_once:
                    return batch[index + 1 :]
        return []

    def _results(self, batch: list[Message]) -> Generator[Receipt | Exception]:
        try:
            yield from self._adapter.send_batch(batch)
        except Exception as e:  # noqa: BLE001 - the edge: an adapter's bug is one failed try, not a lost batch
            signals.drain_failed.send(_Batch, actor=type(self._adapter).__name__, error=e)
            yield _Broken(f"The adapter raised {type(e).__name__}.", code=type(e).__name__)


class _Broken(AmbiguousError):
    """The adapter raised something it should have yielded."""


class _NotToBeSent(Exception):
    """A claimed delivery that must not go out after all."""

    def __init__(self, state: DeliveryState, reason: Reason, detail: str = "") -> None:
        super().__init__(reason)
        self.state, self.reason, self.detail = state, reason, detail


def _message(
    row: Delivery, event: Event | None, contents: tuple[Content, ...], recipient: Recipient | None, now: datetime
) -> Message:
    if event is not None and event.cancelled_at is not None:
        raise _NotToBeSent(DeliveryState.CANCELLED, Reason.EVENT_CANCELLED)
    if row.expires_at is not None and row.expires_at <= now:
        raise _NotToBeSent(DeliveryState.EXPIRED, Reason.EXPIRED)
    return Message(
        delivery_id=row.pk,
        channel=row.channel,
        address=row.address,
        priority=Priority(row.priority),
        rendered=_rendered(row, event, contents, recipient),
        action=Action(url=event.action_url, text=event.action_text) if event is not None else Action(),
        category=row.category_id or "",
    )


def _rendered(
    row: Delivery, event: Event | None, contents: tuple[Content, ...], recipient: Recipient | None
) -> Rendered:
    """Return the words: of the version it was planned with, or its own where it was not planned."""
    if row.content is not None:
        return Rendered(
            title=row.content.get("title", ""), body=row.content.get("body", ""), html=row.content.get("html", "")
        )
    if event is None or event.emptied_at is not None:
        raise _NotToBeSent(DeliveryState.FAILED, Reason.CONTENT_GONE)
    name, locale = (recipient.name, recipient.locale) if recipient else ("", "")
    try:
        content = wording.pick(contents, row.channel, locale)
        return wording.render_event(content, event, name=name, locale=locale)
    except RenderError as e:
        raise _NotToBeSent(DeliveryState.FAILED, Reason.RENDER_ERROR, str(e)) from e
