"""
How many a broadcast would reach, and why not the others: the planner over everybody, a few hundred at a time.

Whoever looks at the page asks for the next step. A step reads its people by primary key from where the last one ended,
so that its cost does not grow; nothing but the draft is written. Exact for the data of when it was counted.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db.models import F

from notifications import conf
from notifications.models import BroadcastDraft
from notifications.pipeline import broadcasting, dry_run, outbox
from notifications.pipeline.recipients import Chunk
from notifications.services import broadcast_drafts
from notifications.types import DeliveryState

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.pipeline.drafting import Draft
    from notifications.pipeline.planning import Planned

#: People of one step: what is held in memory.
STEP = 1000
#: Seconds after which a request goes no further.
BUDGET = 1.5


def count_further(draft: BroadcastDraft, *, now: datetime) -> bool:
    """
    Count on for a second or two, or to the end; False: somebody else counted, or changed it, meanwhile.

    Raises `PublishError` if what the draft says cannot be published, or the audience is gone.
    """
    until = time.monotonic() + BUDGET
    while draft.counted_at is None:
        if not _step(draft, now):
            return False
        if time.monotonic() >= until:
            break
    return True


def begin_again(draft: BroadcastDraft) -> None:
    """Forget the count: people and their wishes have changed since. Of what is started, nothing changes."""
    unstarted = BroadcastDraft.objects.filter(pk=draft.pk, broadcast__isnull=True)
    unstarted.update(**broadcast_drafts.UNCOUNTED, revision=F("revision") + 1)


def fraction(draft: BroadcastDraft) -> float:
    """Return which part is counted, from 0 to 1."""
    if draft.counted_at is not None:
        return 1.0
    total = draft.tally.get("total") or 0
    return min(int(draft.tally.get("recipients", 0)) / total, 1.0) if total else 0.0


def _step(draft: BroadcastDraft, now: datetime) -> bool:
    drafted = broadcast_drafts.checked(draft, now=now)
    people = broadcasting.people_of(draft.audience, draft.recipients)
    cursor, end, tally = draft.count_cursor, draft.count_end, dict(draft.tally)
    if not tally:
        last = people.order_by("-pk").values_list("pk", flat=True).first()
        end = "" if last is None else str(last)
        tally = {"total": people.values("pk").distinct().count()}
    keys = broadcasting.next_keys(people, cursor, end, limit=STEP)
    found = {
        "tally": _added(tally, _tallied(drafted, keys)),
        "count_cursor": keys[-1] if keys else cursor,
        "count_end": end,
        "counted_at": now if len(keys) < STEP else None,
    }
    # Compared: two windows that count the same draft must not count anybody twice.
    unchanged = BroadcastDraft.objects.filter(pk=draft.pk, revision=draft.revision, count_cursor=cursor)
    if unchanged.filter(counted_at__isnull=True).update(**found, revision=F("revision") + 1) != 1:
        return False
    draft.revision += 1
    for name, value in found.items():
        setattr(draft, name, value)
    return True


def _tallied(drafted: Draft, keys: list[str]) -> dict[str, Any]:
    size = min(conf.current().chunk_size, conf.MAX_RECIPIENTS_PER_EVENT)
    parts = [keys[start : start + size] for start in range(0, len(keys), size)]
    events = [outbox.event_with(drafted, Chunk(recipients=part, duplicate_count=0)) for part in parts]
    numbers: Counter[str] = Counter(recipients=len(keys))
    going: Counter[str] = Counter()
    suppressed: dict[str, Counter[str]] = {}
    for planned in dry_run.foresee(events, now=drafted.due_at):
        _add(planned, numbers, going, suppressed)
    return {**numbers, "going": dict(going), "suppressed": {name: dict(some) for name, some in suppressed.items()}}


def _add(planned: Planned, numbers: Counter[str], going: Counter[str], suppressed: dict[str, Counter[str]]) -> None:
    numbers["unknown"] += planned.unknown_count
    for told in planned.told:
        is_reached = False
        for row in told.deliveries:
            if row.state == DeliveryState.SUPPRESSED:
                suppressed.setdefault(row.channel, Counter())[row.reason] += 1
            elif row.state == DeliveryState.FAILED:
                numbers["unworded"] += 1
            else:
                going[row.channel] += 1
                is_reached = True
        numbers["reached" if is_reached else "unreached"] += 1


def _added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the sums of two tallies, at every depth."""
    total = dict(one)
    for name, value in other.items():
        before = total.get(name)
        if isinstance(value, dict):
            total[name] = _added(before or {}, value)
        else:
            total[name] = (before or 0) + value
    return total
