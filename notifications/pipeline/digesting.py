"""
Collect deliveries, and send what was collected as one.

Adding upserts the digest's row, closing locks it: whoever comes second waits, so that every item is in exactly one
digest and nothing comes into one that is closed. Rows are touched in the order of their keys: batches cannot wait for
each other in a circle.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from notifications import ids, wakeups
from notifications.models import Delivery, Digest
from notifications.pipeline import digest_wording, pausing
from notifications.types import DeliveryState, DigestState, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from notifications.pipeline.digest_wording import Made
    from notifications.pipeline.pausing import Held
    from notifications.pipeline.planning import Planned
    from notifications.pipeline.routing import Hold

#: Recipient, channel and key of an open digest.
_Key = tuple[Any, str, str]


def collect(batch: Iterable[Planned], *, now: datetime) -> None:
    """Put what is to be collected into its digest; within the transaction that writes it. One statement in all."""
    adding = _adding(batch)
    if not adding:
        return
    wanted = {key: _digest(key, rows, now) for key, rows in adding.items()}
    for key, digest in _add(wanted).items():
        is_new = digest.pk == wanted[key].pk
        for index, (row, hold) in enumerate(adding[key]):
            if is_new and index == 0 and _goes_first(hold):
                row.due_at, row.reason = now, ""
            else:
                row.digest_id, row.due_at = digest.pk, digest.due_at


def foresee(batch: Iterable[Planned], *, now: datetime) -> None:
    """Say when what is to be collected would go, by the digests that are open; write nothing. At most one query."""
    adding = _adding(batch)
    if not adding:
        return
    people, _, names = zip(*adding, strict=True)
    rows = Digest.objects.filter(state=DigestState.OPEN, recipient__in=people, key__in=set(names))
    known = {(row.recipient_id, row.channel, row.key): row for row in rows}
    for key, collected in adding.items():
        digest = known.get(key)
        for index, (row, hold) in enumerate(collected):
            if digest is not None:
                row.due_at = min(row.due_at, digest.slides_until) if digest.slides_until else digest.due_at
            elif index == 0 and _goes_first(hold):
                row.due_at, row.reason = now, ""


def going(now: datetime, held: Held) -> QuerySet[Digest]:
    """Return the digests that are due and that no pause holds."""
    due = Digest.objects.filter(state=DigestState.OPEN, due_at__lte=now)
    items = Delivery.objects.filter(digest_id=OuterRef("pk"), state=DeliveryState.PENDING)
    return due.exclude(Exists(items.filter(template__in=held.templates))) if held.templates else due


def close(*, now: datetime, limit: int) -> int:
    """
    Close at most `limit` digests that are due; return how many.

    What of a digest was read in the app is left out, and what was called back or expired is not in it any more. If
    something is left, it becomes one delivery; the items end as `digested`.
    """
    held = pausing.current(now)
    if held.everything:
        return 0
    with transaction.atomic():
        due = going(now, held).order_by("due_at")
        digests = list(due.select_for_update(skip_locked=True)[:limit])
        collected = Delivery.objects.filter(
            digest_id__in=[digest.pk for digest in digests], state=DeliveryState.PENDING
        )
        items: defaultdict[UUID | None, list[Delivery]] = defaultdict(list)
        for row in collected.select_related("notification").order_by("pk"):
            items[row.digest_id].append(row)
        made = digest_wording.made_of({digest: _unread(items[digest.pk]) for digest in digests}, now=now)
        deliveries = {digest: one.delivery for digest, one in made.items() if one.delivery is not None}
        Delivery.objects.bulk_create(deliveries.values())
        for digest in digests:
            digest.delivery = deliveries.get(digest)
            digest.state = DigestState.CLOSED if digest.delivery else DigestState.EMPTY
            digest.closed_at = now
        Digest.objects.bulk_update(digests, ["delivery", "state", "closed_at"])
        _end(collected, list(made.values()), now)
        for channel in {row.channel for row in deliveries.values()}:
            transaction.on_commit(partial(wakeups.ring, wakeups.deliver_actor(channel)), robust=True)
    return len(digests)


def _adding(batch: Iterable[Planned]) -> dict[_Key, list[tuple[Delivery, Hold]]]:
    """Return what is to be collected, by the digest it belongs to."""
    found: defaultdict[_Key, list[tuple[Delivery, Hold]]] = defaultdict(list)
    for told in (told for planned in batch for told in planned.told):
        for route, row in zip(told.routes, told.deliveries, strict=True):
            if route.hold is not None and row.state == DeliveryState.PENDING:
                found[told.recipient.pk, row.channel, route.hold.key].append((row, route.hold))
    return found


def _goes_first(hold: Hold) -> bool:
    """Tell whether the first of a digest is sent at once."""
    return hold.window is not None and hold.window.first_now


def _unread(items: list[Delivery]) -> list[Delivery]:
    return [row for row in items if row.notification is None or row.notification.read_at is None]


def _end(collected: QuerySet[Delivery], made: list[Made], now: datetime) -> None:
    """Write what became of the items: sent with the digest, impossible to word, or read before."""
    for row, error in ((row, error) for one in made for row, error in one.unworded):
        collected.filter(pk=row.pk).update(
            state=DeliveryState.FAILED, reason=Reason.RENDER_ERROR, last_error=error, finished_at=now
        )
    told = [row.pk for one in made for row in one.told]
    collected.filter(pk__in=told).update(state=DeliveryState.DIGESTED, finished_at=now)
    # Nobody else can have added to it: what is left was read.
    collected.update(state=DeliveryState.CANCELLED, reason=Reason.READ, finished_at=now)


def _digest(key: _Key, rows: list[tuple[Delivery, Hold]], now: datetime) -> Digest:
    """Return the digest that is opened if there is none."""
    recipient, channel, name = key
    first, hold = rows[0]
    longest = hold.window.longest if hold.window else None
    return Digest(
        id=ids.uuid7(),
        recipient_id=recipient,
        channel=channel,
        category_id=first.category_id or "",
        key=name,
        opened_at=now,
        due_at=first.due_at,
        slides_until=None if longest is None else now + longest,
    )


def _add(wanted: dict[_Key, Digest]) -> dict[_Key, Digest]:
    """Open digests, or let those that are open slide; return them as they are. Their rows are locked after."""
    meta, quote = Digest._meta, connection.ops.quote_name
    table, fields = quote(meta.db_table), meta.concrete_fields
    columns = ", ".join(quote(field.column) for field in fields)
    least = "LEAST" if connection.vendor == "postgresql" else "MIN"
    slid = f"{least}(EXCLUDED.due_at, {table}.slides_until)"
    ordered = sorted(wanted, key=lambda key: (str(key[0]), key[1], key[2]))
    places = ", ".join(["%s"] * len(fields))
    sql = (
        f"INSERT INTO {table} ({columns}) VALUES {', '.join([f'({places})'] * len(ordered))} "  # noqa: S608 - ours
        f"ON CONFLICT (recipient_id, channel, key) WHERE state = 'open' "
        f"DO UPDATE SET due_at = CASE WHEN {table}.slides_until IS NULL THEN {table}.due_at ELSE {slid} END "
        f"RETURNING id"
    )
    values = [
        field.get_db_prep_save(getattr(wanted[key], field.attname), connection) for key in ordered for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        pks = [meta.pk.to_python(row[0]) for row in cursor.fetchall()]
    return {(row.recipient_id, row.channel, row.key): row for row in Digest.objects.filter(pk__in=pks)}
