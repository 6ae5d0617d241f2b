"""What follows from the result of a try: the attempt's row, the delivery's state, and when to try again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from notifications import clock, conf, signals, wakeups
from notifications.exceptions import AmbiguousError, DeliveryError, MisconfiguredError, PermanentError, TransientError
from notifications.models import Attempt, Delivery
from notifications.pipeline import breaker, claiming
from notifications.pipeline.backoff import next_retry_at
from notifications.types import DeliveryState, Outcome, Reason
from notifications.values import Receipt

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from notifications.values import Adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try of a delivery, over."""

    result: Receipt | Exception
    started_at: datetime
    duration: timedelta


def record(row: Delivery, token: UUID, done: Try, adapter: Adapter) -> None:
    """Write the attempt and what follows from it, in one transaction."""
    number = row.attempts + 1
    backend = type(adapter).__name__
    verdict = _verdict(done.result, number, row, at_most_once=adapter.at_most_once)
    with transaction.atomic():
        # Also when the lease was lost: the provider was called.
        Attempt.objects.create(
            delivery_id=row.pk,
            number=number,
            backend=backend,
            started_at=done.started_at,
            duration=done.duration,
            outcome=verdict.outcome,
            code=verdict.code[:100],
            detail=verdict.detail,
        )
        finish(row, token, attempts=number, backend=backend, last_error=verdict.detail, **verdict.changes)


def finish(row: Delivery, token: UUID, *, state: DeliveryState, **changes: Any) -> None:
    """Let go of the row and tell; a row whose lease was lost is somebody else's to tell of."""
    if not claiming.settle(Delivery, row.pk, token, now=clock.now(), state=state, **changes):
        return
    attempts = changes.get("attempts", row.attempts)
    if state == DeliveryState.PENDING:
        due_at = changes["due_at"]
        transaction.on_commit(partial(wakeups.ring, wakeups.deliver_actor(row.channel), due_at), robust=True)
        signals.delivery_deferred.send(
            Delivery,
            delivery_id=row.pk,
            channel=row.channel,
            attempt=attempts,
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
        attempts=attempts,
    )


def put_off(row: Delivery, token: UUID, *, until: datetime, reason: Reason) -> None:
    """Let go of a row that is not to be sent before an instant; no try is spent."""
    if claiming.settle(
        Delivery, row.pk, token, now=clock.now(), state=DeliveryState.PENDING, due_at=until, reason=reason
    ):
        transaction.on_commit(partial(wakeups.ring, wakeups.deliver_actor(row.channel), until), robust=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What one result means for the attempt and for the delivery."""

    outcome: Outcome
    code: str
    detail: str
    changes: dict[str, Any]


def _verdict(result: Receipt | Exception, number: int, row: Delivery, *, at_most_once: bool) -> _Verdict:
    """Return what follows from the result of try `number`."""
    if isinstance(result, Receipt):
        sent = {
            "state": DeliveryState.SENT,
            "reason": "",
            "sent_at": clock.now(),
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
        return _Verdict(outcome=Outcome.MISCONFIGURED, code=code, detail=detail, changes=_once_mended(row))
    outcome = Outcome.AMBIGUOUS if isinstance(result, AmbiguousError) else Outcome.TRANSIENT
    changes = _retry(result, number - row.attempts_before, row.channel)
    return _Verdict(outcome=outcome, code=code, detail=detail, changes=changes)


def _once_mended(row: Delivery) -> dict[str, Any]:
    """Our own set-up is wrong: wait, with the backend paused, and count no try for it."""
    waiting = {"state": DeliveryState.PENDING, "reason": Reason.RETRY, "due_at": clock.now() + breaker.FIRST}
    return {**waiting, "attempts_before": row.attempts_before + 1, "started_at": None}


def _retry(error: Exception, number: int, channel: str) -> dict[str, Any]:
    config = conf.current()
    due_at = next_retry_at(
        number,
        clock.now(),
        delays=config.retry_delays,
        tail=config.retry_tails.get(channel, ()),
        spread=random.uniform(-1, 1),  # noqa: S311 - not a secret
        retry_after=error.retry_after if isinstance(error, TransientError) else None,
    )
    if due_at is None:
        return {"state": DeliveryState.FAILED, "reason": Reason.RETRIES_EXHAUSTED}
    return {"state": DeliveryState.PENDING, "reason": Reason.RETRY, "due_at": due_at, "started_at": None}
