"""
Claim, settle, release, reclaim, expire: who may write a row, decided by guarded UPDATEs.

A claim is one statement outside any transaction. Whoever holds the row's lease token may write it; everybody else's
writes change nothing. The same code serves events, broadcasts and deliveries, PostgreSQL and SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.models import Case, DateTimeField, F, Field, Q, QuerySet, TextField, Value, When

from notifications.models import Broadcast, Delivery, Event, Leased
from notifications.pipeline import bulk
from notifications.types import BroadcastState, DeliveryState, EventState, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime, timedelta

Row = TypeVar("Row", Event, Broadcast, Delivery)

#: From this many claims on, a row is claimed alone: it may be the one that kills workers.
SUSPECT_CLAIMS = 3
#: After this many it fails.
MAX_CLAIMS = 10

#: The database's trouble, not that of the rows in hand: their lease frees them. Internal, by the book, is a connection that
#: the server closed because its transaction lay idle: the machine was suspended within.
DATABASE_TROUBLE = (OperationalError, InterfaceError, InternalError)

_HELD: dict[type[Leased], str] = {
    Event: EventState.DISPATCHING,
    Broadcast: BroadcastState.EXPANDING,
    Delivery: DeliveryState.SENDING,
}
_WAITING = "pending"
#: States that a row is left in and is not over; a broadcast waits for staff in one of them.
_UNFINISHED = {_WAITING, BroadcastState.CANARY.value}

#: What nobody asks a claimed row for: whoever does all the same costs a query.
_UNREAD = frozenset({
    "lease_until", "digest_id", "delivered_at", "bounced_at", "complained_at", "opened_at", "clicked_at", "request_hash",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Generic[Row]):
    """The rows somebody holds, most urgent first, and the token that proves it."""

    token: UUID
    rows: list[Row]
    #: Did it bring as many rows as it asked for?
    full: bool
    #: There are probably more: it was full, or a suspect, of which there are often some.
    more: bool


def claim(
    model: type[Row],
    *,
    priorities: Iterable[int],
    now: datetime,
    lease: timedelta,
    limit: int,
    channel: str | None = None,
    templates_held: Collection[str] = (),
    broadcasts_held: Collection[UUID] = (),
) -> Claim[Row]:
    """
    Take up to `limit` due rows: one priority at a time, the highest first; within it the oldest due first.

    What is held by a pause stays. A row that was claimed three times without being put down in good order comes alone,
    when nothing else is due. Of broadcasts, only those that have a slot are taken.
    """
    token = uuid4()
    due = _Due(now=now, channel=channel, templates=tuple(sorted(templates_held)), broadcasts=tuple(broadcasts_held))
    rows: list[Row] = []
    priorities = sorted(priorities)
    for priority in priorities:
        if len(rows) < limit:
            rows += _claim(model, token, now + lease, due, [priority], limit - len(rows), suspects=False)
    full = more = len(rows) >= limit
    if priorities and not rows:
        rows = _claim(model, token, now + lease, due, priorities, 1, suspects=True)
        more = bool(rows)
    rows.sort(key=lambda row: (row.priority, row.due_at))
    return Claim(token=token, rows=rows, full=full, more=more)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """Which rows are asked for."""

    now: datetime
    channel: str | None
    #: Not of these.
    templates: tuple[str, ...]
    broadcasts: tuple[UUID, ...]


def _claim(
    model: type[Row], token: UUID, until: datetime, due: _Due, priorities: list[int], limit: int, *, suspects: bool
) -> list[Row]:
    """Run one claiming UPDATE. The states stand in the SQL as text, so that the partial index is used."""
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    fields = [field for field in model._meta.concrete_fields if field.name not in _UNREAD]
    columns = ", ".join(quote(field.column) for field in fields)
    among = f"priority IN ({', '.join(str(int(priority)) for priority in priorities)})"
    guard = f"state = '{_WAITING}' AND {among} AND due_at <= %s AND claims {'>=' if suspects else '<'} %s"
    params: list[Any] = [_prepared(model, "due_at", due.now), SUSPECT_CLAIMS]
    if due.channel is not None:
        guard += " AND channel = %s"
        params.append(due.channel)
    if model is Broadcast:
        guard += " AND slot IS NOT NULL"
    if model is Delivery:
        guard += " AND digest_id IS NULL"
    if due.templates:
        guard += f" AND {_none_of('template_id', due.templates)}"
        params += due.templates
    if due.broadcasts:
        name = "id" if model is Broadcast else "broadcast_id"
        guard += f" AND {_none_of(name, due.broadcasts)}"
        params += [_prepared(model, "id", pk) for pk in due.broadcasts]
    picked = f"SELECT id FROM {table} WHERE {guard} ORDER BY due_at LIMIT {int(limit)}"  # noqa: S608 - names are ours
    skipping = connection.vendor == "postgresql"
    chosen = f"id = ANY(ARRAY({picked} FOR UPDATE SKIP LOCKED))" if skipping else f"id IN ({picked})"
    taken = f"state = '{_HELD[model]}', lease_token = %s, lease_until = %s, claims = claims + 1"
    sql = f"UPDATE {table} SET {taken} WHERE {chosen} RETURNING {columns}"  # noqa: S608 - names are ours
    written: list[Any] = [_prepared(model, "lease_token", token), _prepared(model, "lease_until", until)]
    return bulk.read(model, fields, sql, [*written, *params])


def _none_of(column: str, values: Collection[Any]) -> str:
    return f"({column} IS NULL OR {column} NOT IN ({', '.join(['%s'] * len(values))}))"


def settle(model: type[Row], pk: UUID, token: UUID, *, now: datetime, state: str, **changes: Any) -> bool:
    """Write the outcome and let go of the row; False: the lease was lost and nothing was written."""
    finished_at = None if state in _UNFINISHED else now
    num_updated = model._default_manager.filter(pk=pk, lease_token=token).update(
        state=state, finished_at=finished_at, lease_token=None, lease_until=None, claims=0, **changes
    )
    return num_updated == 1


def release(model: type[Row], pks: Iterable[UUID], token: UUID) -> int:
    """Put rows back as if they had not been claimed; return how many were still ours."""
    return _of(model, pks, token).update(state=_WAITING, lease_token=None, lease_until=None, claims=F("claims") - 1)


def held(model: type[Row], pks: Iterable[UUID], token: UUID) -> QuerySet[Row]:
    """Return the rows still held by `token`, locked until the transaction ends."""
    return _of(model, pks, token).select_for_update()


def _of(model: type[Row], pks: Iterable[UUID], token: UUID) -> QuerySet[Row]:
    return model._default_manager.filter(pk__in=bulk.among(model._meta.pk, list(pks)), lease_token=token)


def stamp_started(pk: UUID, token: UUID, now: datetime) -> bool:
    """Note that the provider is about to be called; False: the lease was lost, do not call."""
    return Delivery.objects.filter(pk=pk, lease_token=token).update(started_at=now) == 1


def leased(model: type[Row]) -> QuerySet[Row]:
    """Return what somebody holds, or held: `lease_until` says how long."""
    return model._default_manager.filter(state=_HELD[model])


def ending(model: type[Event] | type[Broadcast] | type[Delivery]) -> QuerySet[Any]:
    """Return what waits and has an end: `expires_at` says when."""
    return model._default_manager.filter(state=_WAITING, expires_at__isnull=False)


def reclaim(model: type[Row], *, now: datetime, limit: int) -> int:
    """
    Free rows whose lease ran out; return how many.

    A delivery whose provider call had begun on an at-most-once channel becomes `unknown`: nobody may try again.
    """
    over = leased(model).filter(lease_until__lt=now)
    exhausted = Q(claims__gte=MAX_CLAIMS)
    cases = [When(exhausted, then=Value("failed"))]
    reasons = [When(exhausted, then=Value(Reason.WORKER_CRASHED.value))]
    if model is Delivery:
        begun = Q(started_at__isnull=False)
        cases.insert(0, When(begun, then=Value(DeliveryState.UNKNOWN.value)))
        # Nobody knows: it waits for no next try, whatever it waited for before.
        reasons.append(When(begun, then=Value("")))
    column = "reason" if model is Delivery else "last_error"
    why = Case(*reasons, default=F(column), output_field=TextField())
    ended = [When(case.condition, then=Value(now)) for case in cases]
    pks = list(over.order_by("lease_until").values_list("pk", flat=True)[:limit])
    # The guard is repeated: whoever came back meanwhile keeps the row.
    return over.filter(pk__in=pks).update(
        state=Case(*cases, default=Value(_WAITING)),
        finished_at=Case(*ended, default=None, output_field=DateTimeField()),
        lease_token=None,
        lease_until=None,
        **{column: why},
    )


def expire(*, now: datetime, limit: int) -> int:
    """End waiting rows whose `expires_at` has passed; return how many. What is claimed is checked by its holder."""
    ended = 0
    models: tuple[type[Event] | type[Broadcast] | type[Delivery], ...] = (Event, Broadcast, Delivery)
    for model in models:
        why = {"reason": Reason.EXPIRED} if model is Delivery else {}
        late = ending(model).filter(expires_at__lte=now)
        pks = list(late.order_by("expires_at").values_list("pk", flat=True)[:limit])
        ended += late.filter(pk__in=pks).update(state="expired", finished_at=now, **why)
    return ended


def _prepared(model: type[Leased], name: str, value: Any) -> Any:
    """Return `value` as the database stores the column."""
    field: Field[Any, Any] = next(field for field in model._meta.concrete_fields if field.name == name)
    return field.get_db_prep_value(value, connection)
