"""Take addresses out of use, and tell which are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q

from notifications import conf
from notifications.exceptions import PermanentError
from notifications.models import Suppression
from notifications.models.endpoints import REGISTERED
from notifications.models.suppressions import address_hash, address_hashes
from notifications.pipeline import bulk, endpoints
from notifications.types import SuppressionSource
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from notifications.models import Delivery
    from notifications.types import Reason

#: Channel and address, as a delivery has them.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """An address that was found out, and how."""

    channel: str
    #: As `Delivery.address`: of web push, chat and webhooks it is the endpoint's id.
    address: str = field(repr=False)
    reason: Reason
    #: The provider's own word.
    code: str = ""
    #: Primary key; None: nobody's.
    recipient: Any = None

    @classmethod
    def of_delivery(cls, row: Delivery, reason: Reason, code: str = "") -> Unusable:
        """Return the address that a delivery was for."""
        return cls(channel=row.channel, address=row.address, reason=reason, code=code, recipient=row.recipient_id)


def suppress(found: Iterable[Unusable], *, source: SuppressionSource, now: datetime) -> int:
    """
    Take addresses out of use: e-mail addresses and phones are suppressed, endpoints are disabled. Return how many were.

    A constant number of statements. What is suppressed already stays so, with its first cause, and longer if this one
    lasts longer.
    """
    addressed = [one for one in found if one.address]
    rows = {_place(row): row for row in (_row(one, source, now) for one in addressed if one.channel not in REGISTERED)}
    with transaction.atomic():
        number = endpoints.disable({one.address for one in addressed if one.channel in REGISTERED}, now=now)
        return number + (_suppress(rows, now) if rows else 0)


def learn(results: Iterable[tuple[Delivery, Receipt | Exception]], *, now: datetime) -> None:
    """Note what tries say of the addresses: which are dead for good, and which endpoints are in use."""
    results = list(results)
    dead = [
        Unusable.of_delivery(row, result.reason, result.code)
        for row, result in results
        if isinstance(result, PermanentError) and result.suppress
    ]
    if dead:
        suppress(dead, source=SuppressionSource.ADAPTER, now=now)
    endpoints.note_use((row for row, result in results if isinstance(result, Receipt)), now=now)


def suppressed(places: Iterable[Place], *, now: datetime) -> frozenset[Place]:
    """Return those of these e-mail addresses and phones that must not be used: at most two queries."""
    wanted = {(channel, address) for channel, address in places if address and channel not in REGISTERED}
    in_force = Suppression.objects.in_force(now)
    # Most sites have few: the hashes of a whole batch take longer than this question.
    if not wanted or not in_force.exists():
        return frozenset()
    by_hash: dict[Place, set[Place]] = defaultdict(set)
    for channel, address in wanted:
        for hashed in address_hashes(channel, address):
            by_hash[channel, hashed].add((channel, address))
    hashes = bulk.among(Suppression._meta.get_field("address_hash"), {hashed for _, hashed in by_hash})
    found = in_force.filter(channel__in={channel for channel, _ in by_hash}, address_hash__in=hashes)
    return frozenset().union(
        *(by_hash[place] for place in found.values_list("channel", "address_hash") if place in by_hash)
    )


def _row(one: Unusable, source: SuppressionSource, now: datetime) -> Suppression:
    days = conf.current().suppression_days.get(one.reason)
    return Suppression(
        channel=one.channel,
        address_hash=address_hash(one.channel, one.address),
        address=one.address,
        recipient_id=one.recipient,
        reason=one.reason,
        source=source,
        code=one.code[:100],
        created_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )


def _place(row: Suppression) -> Place:
    return row.channel, row.address_hash


def _suppress(rows: dict[Place, Suppression], now: datetime) -> int:
    # In one order, so that two batches cannot wait for each other in a circle.
    ordered = [rows[place] for place in sorted(rows)]
    same = Q(*(Q(channel=channel, address_hash=hashed) for channel, hashed in rows), _connector=Q.OR)
    current = Suppression.objects.filter(same, lifted_at__isnull=True)
    current.filter(expires_at__lte=now).update(lifted_at=F("expires_at"))
    Suppression.objects.bulk_create(ordered, ignore_conflicts=True)
    stored = {_place(row): row for row in current}
    for row in ordered:
        known = stored.get(_place(row), row)
        if known.expires_at is not None and (row.expires_at is None or row.expires_at > known.expires_at):
            current.filter(pk=known.pk).update(expires_at=row.expires_at)
    return sum(row.pk == stored[_place(row)].pk for row in ordered if _place(row) in stored)
