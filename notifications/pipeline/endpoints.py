"""The addresses that people registered, as deliveries name them: each by the id of its endpoint, in hex."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q

from notifications.models import Endpoint
from notifications.models.endpoints import REGISTERED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from notifications.models import Delivery

#: `last_used_at` is written at most this often.
NOTED_EVERY = timedelta(days=1)


def live(recipients: Any, channels: Collection[str]) -> dict[Any, dict[str, tuple[str, ...]]]:
    """Return recipient → channel → addresses that work, the oldest first: at most one query."""
    found: defaultdict[Any, dict[str, tuple[str, ...]]] = defaultdict(dict)
    wanted = [channel for channel in REGISTERED if channel in channels]
    if not wanted:
        return found
    rows = Endpoint.objects.filter(recipient__in=recipients, channel__in=wanted, disabled_at__isnull=True)
    for recipient, channel, pk in rows.order_by("pk").values_list("recipient", "channel", "pk"):
        found[recipient][channel] = (*found[recipient].get(channel, ()), pk.hex)
    return found


def of_deliveries(rows: Iterable[Delivery]) -> dict[str, Endpoint]:
    """Return the endpoints that deliveries go to and that work, by address: at most one query."""
    addresses = {row.address for row in rows if row.channel in REGISTERED and row.address}
    if not addresses:
        return {}
    found = Endpoint.objects.filter(pk__in=_keys(addresses), disabled_at__isnull=True)
    return {endpoint.pk.hex: endpoint for endpoint in found}


def disable(addresses: Collection[str], *, now: datetime) -> int:
    """Note that these are gone; return how many were not known to be."""
    if not addresses:
        return 0
    return Endpoint.objects.filter(pk__in=_keys(addresses), disabled_at__isnull=True).update(disabled_at=now)


def note_use(rows: Iterable[Delivery], *, now: datetime) -> None:
    """Note that these were sent to: one statement, and at most once a day for each."""
    addresses = [row.address for row in rows if row.channel in REGISTERED and row.address]
    if addresses:
        due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - NOTED_EVERY)
        Endpoint.objects.filter(due, pk__in=_keys(addresses)).update(last_used_at=now)


def _keys(addresses: Iterable[str]) -> list[UUID]:
    return [UUID(hex=address) for address in addresses]
