"""Close the digests that are due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications.maintenance.lookout import First
from notifications.models import Digest
from notifications.pipeline import digesting
from notifications.types import DigestState

if TYPE_CHECKING:
    from datetime import datetime

#: Digests of one transaction: each is worded in it.
AT_ONCE = 100


def firsts() -> list[First]:
    return [First(rows=Digest.objects.filter(state=DigestState.OPEN), column="due_at")]


def run_once(now: datetime, limit: int) -> int:
    """Close at most `limit` digests; return how many."""
    return digesting.close(now=now, limit=min(limit, AT_ONCE))
