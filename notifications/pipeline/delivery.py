"""Deliveries of one channel → claim, render, send, settle. Every try leaves a row."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from notifications import clock, conf, registry, signals, wakeups
from notifications.exceptions import (
    AmbiguousError,
    DeliveryError,
    MisconfiguredError,
    PermanentError,
    RenderError,
    TransientError,
)
from notifications.models import Attempt, Delivery, Event
from notifications.pipeline import claiming, facts, wording
from notifications.pipeline.backoff import next_retry_at
from notifications.pipeline.draining import places
from notifications.types import Action, DeliveryState, Message, Outcome, Priority, Reason, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from notifications.pipeline.claiming import Claim
    from notifications.pipeline.facts import Recipient
    from notifications.types import Adapter, Content

#: Seconds before the end of the lease from which nothing more is begun.
LEASE_MARGIN = 5.0


def deliver_batch(channel: str, *, more: Callable[[], None]) -> int:
    """Deliver a batch of due deliveries of a channel; return how many were claimed."""
    config = conf.current()
    adapter = registry.adapter(channel)
    # Measured before the claim, so that our idea of the lease ends before everybody else's.
    deadline = time.monotonic() + config.lease - LEASE_MARGIN
    claim = claiming.claim(
        Delivery,
        priorities=list(Priority),
        now=clock.now(),
        lease=config.lease_time,
        limit=config.delivery_batch,
        channel=channel,
    )
    if claim.full:
        more()
    if claim.rows:
        _Batch(claim, adapter, deadline).run()
    return len(claim.rows)


class _Batch:
    """Claimed deliveries on their way through one adapter."""

    def __init__(self, claim: Claim[Delivery], adapter: Adapter, deadline: float) -> None:
        self._token = claim.token
        self._rows = {row.pk: row for row in claim.rows}
        self._adapter = adapter
        self._deadline = deadline

    def run(self) -> None:
        messages = self._messages()
        while messages and not self._must_stop():
            size = max(self._adapter.batch_size, 1)
            batch, messages = messages[:size], messages[size:]
            messages = self._send(batch) + messages
        if messages:
            claiming.release(Delivery, [message.delivery_id for message in messages], self._token)

    def _must_stop(self) -> bool:
        return places.stopping.is_set() or time.monotonic() >= self._deadline

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
                self._finish(row, state=e.state, reason=e.reason, last_error=e.detail)
        return messages

    def _send(self, batch: list[Message]) -> list[Message]:
        """Send a batch, settling each message as its result comes; return those that were not begun."""
        once = self._adapter.at_most_once
        if once:
            now = clock.now()
            batch = [message for message in batch if claiming.stamp_started(message.delivery_id, self._token, now)]
        results = self._results(batch)
        for index, message in enumerate(batch):
            # On an at-most-once channel the whole batch has begun with its first message.
            if index and not once and self._must_stop():
                return batch[index:]
            started_at, started = clock.now(), time.monotonic()
            result = next(results, None) or AmbiguousError("The adapter gave no result.", code="no_result")
            self._record(self._rows[message.delivery_id], result, started_at, time.monotonic() - started)
            if isinstance(result, _Broken) and not once:
                return batch[index + 1 :]
        return []

    def _results(self, batch: list[Message]) -> Iterator[Receipt | Exception]:
        try:
            yield from self._adapter.send_batch(batch)
        except Exception as e:  # noqa: BLE001 - the edge: an adapter's bug is one failed try, not a lost batch
            signals.drain_failed.send(_Batch, actor=type(self._adapter).__name__, error=e)
            yield _Broken(f"The adapter raised {type(e).__name__}.", code=type(e).__name__)

    def _record(self, row: Delivery, result: Receipt | Exception, started_at: datetime, seconds: float) -> None:
        """Write the attempt and what follows from it, in one transaction."""
        number = row.attempts + 1
        once = self._adapter.at_most_once
        verdict = _verdict(result, number, clock.now(), channel=row.channel, at_most_once=once)
        with transaction.atomic():
            Attempt.objects.create(
                delivery_id=row.pk,
                number=number,
                backend=type(self._adapter).__name__,
                started_at=started_at,
                duration=timedelta(seconds=seconds),
                outcome=verdict.outcome,
                code=verdict.code[:100],
                detail=verdict.detail,
            )
            changes = {"attempts": number, "backend": type(self._adapter).__name__, **verdict.changes}
            self._finish(row, last_error=verdict.detail, **changes)

    def _finish(self, row: Delivery, **changes: Any) -> None:
        """Let go of the row and tell; a row whose lease was lost is somebody else's to tell of."""
        state, due_at = changes["state"], changes.get("due_at")
        if not claiming.settle(Delivery, row.pk, self._token, now=clock.now(), **changes):
            return
        if state == DeliveryState.PENDING and due_at is not None:
            transaction.on_commit(partial(wakeups.ring, wakeups.deliver_actor(row.channel), due_at), robust=True)
            signals.delivery_deferred.send(
                Delivery,
                delivery_id=row.pk,
                channel=row.channel,
                attempt=changes["attempts"],
                due_at=due_at,
                error=changes["last_error"],
            )
            return
        signals.delivery_finished.send(
            Delivery,
            delivery_id=row.pk,
            channel=row.channel,
            state=state,
            reason=changes.get("reason", ""),
            attempts=changes.get("attempts", row.attempts),
        )


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
    if event is None:
        raise _NotToBeSent(DeliveryState.FAILED, Reason.CONTENT_GONE)
    if event.cancelled_at is not None:
        raise _NotToBeSent(DeliveryState.CANCELLED, Reason.EVENT_CANCELLED)
    if row.expires_at is not None and row.expires_at <= now:
        raise _NotToBeSent(DeliveryState.EXPIRED, Reason.EXPIRED)
    name, locale = (recipient.name, recipient.locale) if recipient else ("", "")
    try:
        content = wording.pick(contents, row.channel, locale)
        rendered = wording.render_event(content, event, name=name, locale=locale)
    except RenderError as e:
        raise _NotToBeSent(DeliveryState.FAILED, Reason.RENDER_ERROR, str(e)) from e
    return Message(
        delivery_id=row.pk,
        channel=row.channel,
        address=row.address,
        priority=Priority(row.priority),
        rendered=rendered,
        action=Action(url=event.action_url, text=event.action_text),
        category=row.category_id or "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What one result means for the attempt and for the delivery."""

    outcome: Outcome
    code: str
    detail: str
    changes: dict[str, Any]


def _verdict(result: Receipt | Exception, number: int, now: datetime, *, channel: str, at_most_once: bool) -> _Verdict:
    """Return what follows from the result of try `number`."""
    if isinstance(result, Receipt):
        sent = {
            "state": DeliveryState.SENT,
            "reason": "",
            "sent_at": now,
            "provider_message_id": result.provider_message_id,
        }
        return _Verdict(outcome=Outcome.SENT, code="", detail="", changes=sent)
    code = result.code if isinstance(result, DeliveryError) else type(result).__name__
    # Of an error that is not ours, only the name: its text may hold an address.
    detail = str(result) if isinstance(result, DeliveryError) else type(result).__name__
    if isinstance(result, PermanentError):
        refused = {"state": DeliveryState.FAILED, "reason": result.reason}
        return _Verdict(outcome=Outcome.PERMANENT, code=code, detail=detail, changes=refused)
    if isinstance(result, AmbiguousError) and at_most_once:
        return _Verdict(
            outcome=Outcome.AMBIGUOUS, code=code, detail=detail, changes={"state": DeliveryState.UNKNOWN, "reason": ""}
        )
    return _Verdict(outcome=_outcome(result), code=code, detail=detail, changes=_retry(result, number, now, channel))


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, MisconfiguredError):
        return Outcome.MISCONFIGURED
    return Outcome.AMBIGUOUS if isinstance(error, AmbiguousError) else Outcome.TRANSIENT


def _retry(error: Exception, number: int, now: datetime, channel: str) -> dict[str, Any]:
    config = conf.current()
    due_at = next_retry_at(
        number,
        now,
        delays=config.retry_delays,
        tail=config.retry_tails.get(channel, ()),
        spread=random.uniform(-1, 1),  # noqa: S311 - not a secret
        retry_after=error.retry_after if isinstance(error, TransientError) else None,
    )
    if due_at is None:
        return {"state": DeliveryState.FAILED, "reason": Reason.RETRIES_EXHAUSTED}
    return {"state": DeliveryState.PENDING, "reason": Reason.RETRY, "due_at": due_at, "started_at": None}
