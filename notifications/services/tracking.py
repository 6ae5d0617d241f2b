"""What providers tell afterwards: onto the delivery it is about, and out of use with an address that is no good."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from notifications import signals
from notifications.models import Delivery, ProviderEvent
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.types import Feedback, Reason, SuppressionSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from notifications.channels.callbacks import Callback

#: What is told → the column of the delivery. Each is set once, to the earliest: in whatever order providers tell, what
#: bounced stays bounced.
COLUMNS = {
    Feedback.DELIVERED: "delivered_at",
    Feedback.BOUNCED: "bounced_at",
    Feedback.COMPLAINED: "complained_at",
    Feedback.OPENED: "opened_at",
    Feedback.CLICKED: "clicked_at",
}
#: What takes an address out of use; a bounce does if it is for good.
_CAUSES = {
    Feedback.BOUNCED: Reason.HARD_BOUNCE,
    Feedback.FAILED: Reason.HARD_BOUNCE,
    Feedback.COMPLAINED: Reason.COMPLAINT,
    Feedback.UNSUBSCRIBED: Reason.UNSUBSCRIBED,
}
_MAX_ID = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """A callback that was not heard of before, and what it is about."""

    callback: Callback
    row: Delivery
    event: ProviderEvent


def note(told: Sequence[Callback], *, provider: str, now: datetime) -> int:
    """
    Write what a provider told; return how much of it was news. What is about no delivery of ours is dropped.

    A constant number of statements, in one transaction. The state stays `sent`: that a provider took it is one thing,
    what became of it there another.
    """
    with transaction.atomic():
        ids = {callback.provider_message_id for callback in told} - {""}
        # Locked, in one order: two callbacks about one delivery wait for each other. Without the blank ones, as the
        # index is.
        about = Delivery.objects.filter(provider_message_id__in=ids).exclude(provider_message_id="")
        rows = {row.provider_message_id: row for row in about.select_for_update(of=["self"]).order_by("pk")}
        news = _news(told, rows, provider, now)
        if news:
            _write(news, now)
    for one in news:
        signals.feedback_received.send(
            Delivery, delivery_id=one.row.pk, channel=one.row.channel, kind=one.event.kind, provider=provider
        )
    return len(news)


def _news(told: Iterable[Callback], rows: dict[str, Delivery], provider: str, now: datetime) -> list[_News]:
    """Store what is told for the first time, and return it."""
    found: dict[str, _News] = {}
    for callback in told:
        row = rows.get(callback.provider_message_id)
        if row is not None:
            event = _event(callback, row, provider, now)
            found.setdefault(event.event_id, _News(callback=callback, row=row, event=event))
    if not found:
        return []
    ProviderEvent.objects.bulk_create([one.event for one in found.values()], ignore_conflicts=True)
    stored = ProviderEvent.objects.filter(pk__in=[one.event.pk for one in found.values()])
    ours = set(stored.values_list("pk", flat=True))
    return [one for one in found.values() if one.event.pk in ours]


def _event(callback: Callback, row: Delivery, provider: str, now: datetime) -> ProviderEvent:
    name = callback.event_id
    return ProviderEvent(
        delivery=row,
        provider=provider,
        event_id=name if len(name) <= _MAX_ID else hashlib.sha256(name.encode()).hexdigest(),
        kind=callback.kind,
        code=callback.reason[:100],
        at=min(callback.at or now, now),
        received_at=now,
    )


def _write(news: list[_News], now: datetime) -> None:
    for one in news:
        _set(one.row, one.event)
    Delivery.objects.bulk_update({one.row for one in news}, COLUMNS.values())
    suppress(_unusable(news), source=SuppressionSource.PROVIDER, now=now)


def _set(row: Delivery, event: ProviderEvent) -> None:
    kind = Feedback(event.kind)
    # A text message that reached nobody came back, in the words of e-mail.
    column = COLUMNS.get(Feedback.BOUNCED if kind == Feedback.FAILED else kind)
    if column is None:
        return
    before = getattr(row, column)
    setattr(row, column, event.at if before is None else min(before, event.at))


def _unusable(news: Iterable[_News]) -> Iterator[Unusable]:
    for one in news:
        kind = Feedback(one.event.kind)
        cause = _CAUSES.get(kind)
        if cause is None or (cause == Reason.HARD_BOUNCE and not one.callback.is_hard):
            continue
        yield Unusable.of_delivery(one.row, cause, one.event.code)
