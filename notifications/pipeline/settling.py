"""What follows from the result of a try: the attempt's row, the delivery's state, and when to try again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from notifications import clock, conf, signals, wakeups
from notifications.exceptions import (
    AmbiguousError,
    DeliveryError,
    MisconfiguredError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from notifications.models import Attempt, Delivery
from notifications.models.deliveries import MAX_BACKEND
from notifications.pipeline import breaker, bulk, suppressing
from notifications.pipeline.backoff import MAX_RETRY_AFTER, next_retry_at
from notifications.types import DeliveryState, Outcome, Reason
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from notifications.values import Adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try of a delivery, over."""

    result: Receipt | Exception
    started_at: datetime
    duration: timedelta


_ATTEMPT = bulk.Blank(Attempt)

#: Whatever a provider says, it is left alone for so long.
SHORTEST = timedelta(seconds=1)
#: What ending a try, or putting off a delivery, may change.
_WRITTEN = (
    "state", "reason", "due_at", "started_at", "finished_at", "sent_at", "attempts", "attempts_before", "backend",
    "provider_message_id", "last_error", "lease_token", "lease_until", "claims",
)  # fmt: skip


def record(
    tries: Sequence[tuple[Delivery, Try]],
    token: UUID,
    adapter: Adapter,
    *,
    backend: str = "",
    pause: timedelta = breaker.FIRST,
) -> None:
    """
    Write the attempts and what follows from them, in one transaction: two statements, however many they are.

    `backend` is its name in the log; `pause`: how long what our own set-up spoiled waits.
    """
    backend, attempts = (backend or type(adapter).__name__)[:MAX_BACKEND], []
    now = clock.now()
    for row, done in tries:
        verdict = _verdict(done.result, row, at_most_once=adapter.at_most_once, pause=pause, now=now)
        row.attempts += 1
        row.backend, row.last_error = backend, verdict.detail
        for name, value in verdict.changes.items():
            setattr(row, name, value)
        attempts.append(
            _ATTEMPT.filled_in(
                delivery_id=row.pk,
                number=row.attempts,
                backend=backend,
                started_at=done.started_at,
                duration=done.duration,
                outcome=verdict.outcome,
                code=verdict.code[:100],
                detail=verdict.detail,
            )
        )
    with transaction.atomic():
        # Also where the lease was lost: the provider was called.
        bulk.insert(attempts)
        for row in finish([row for row, _ in tries], token):
            if row.state == DeliveryState.PENDING:
                signals.delivery_deferred.send(
                    Delivery,
                    delivery_id=row.pk,
                    channel=row.channel,
                    attempt=row.attempts,
                    due_at=row.due_at,
                    error=row.last_error,
                )
        suppressing.learn(((row, done.result) for row, done in tries), now=now)


def finish(rows: Sequence[Delivery], token: UUID) -> list[Delivery]:
    """
    Write rows as they are now, let go of them and tell; return those that were still ours.

    One whose lease was lost is somebody else's to tell of.
    """
    now = clock.now()
    for row in rows:
        row.lease_token = row.lease_until = None
        row.claims = 0
        row.finished_at = None if row.state == DeliveryState.PENDING else now
    written = bulk.update(rows, _WRITTEN, token=token)
    ours = [row for row in rows if row.pk in written]
    waiting = {(row.channel, row.due_at) for row in ours if row.state == DeliveryState.PENDING}
    for channel, due_at in waiting:
        transaction.on_commit(partial(wakeups.ring, wakeups.deliver_actor(channel), due_at), robust=True)
    for row in ours:
        if row.state != DeliveryState.PENDING:
            signals.delivery_finished.send(
                Delivery,
                delivery_id=row.pk,
                channel=row.channel,
                state=row.state,
                reason=row.reason,
                attempts=row.attempts,
            )
    return ours


@dataclass(slots=True, kw_only=True)
class _Verdict:
    """What one result means for the attempt and for the delivery."""

    outcome: Outcome
    code: str
    detail: str
    changes: dict[str, Any]


def _verdict(
    result: Receipt | Exception, row: Delivery, *, at_most_once: bool, pause: timedelta, now: datetime
) -> _Verdict:
    """Return what follows from the result of one more try."""
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
    if isinstance(result, MisconfiguredError):
        return _Verdict(outcome=Outcome.MISCONFIGURED, code=code, detail=detail, changes=_uncounted(row, now + pause))
    if isinstance(result, ThrottledError):
        changes = _uncounted(row, now + _until_welcome(result, row))
        return _Verdict(outcome=Outcome.TRANSIENT, code=code, detail=detail, changes=changes)
    outcome = Outcome.AMBIGUOUS if isinstance(result, AmbiguousError) else Outcome.TRANSIENT
    changes = _retry(result, row.attempts + 1 - row.attempts_before, row.channel, now)
    return _Verdict(outcome=outcome, code=code, detail=detail, changes=changes)


def _uncounted(row: Delivery, due_at: datetime) -> dict[str, Any]:
    """It is not the message's fault: wait, and count no try for it."""
    waiting = {"state": DeliveryState.PENDING, "reason": Reason.RETRY, "due_at": due_at}
    return {**waiting, "attempts_before": row.attempts_before + 1, "started_at": None}


def _until_welcome(error: ThrottledError, row: Delivery) -> timedelta:
    """Return how long to leave a provider alone: as it asks, or else twice as long each time."""
    if error.retry_after is not None:
        return min(max(error.retry_after, SHORTEST), MAX_RETRY_AFTER)
    return min(breaker.FIRST * (1 << min(row.attempts_before, 10)), breaker.LONGEST)


def _retry(error: Exception, number: int, channel: str, now: datetime) -> dict[str, Any]:
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
