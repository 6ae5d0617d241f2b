"""
The verdict: what the publisher was promised, joined with what the provider was told.

A recipient has an address of its own, and an event of a run goes to recipients of its own, so the two meet by address.
Our tables are asked only for the reasons of what was not sent, and whether they tell the same story.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.people import OUTSIDE, address
from tests.chaos.tables import DELIVERIES_OPEN, EVENTS_OVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.provider import Call
    from tests.chaos.publications import Accepted
    from tests.chaos.tables import Tables

#: States in which a delivery says why it was not sent.
EXPLAINED = {"failed", "unknown", "suppressed", "cancelled", "expired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came out of a run."""

    accepted_events: int
    #: (channel, address) pairs the publisher was promised.
    promised: int
    delivered: int
    #: Promised, never accepted by the provider, and no row says why.
    lost: list[tuple[str, str]]
    #: Channel → acceptances beyond the first of an address.
    duplicates: Counter[str]
    #: Deliveries that came to the provider under more than one id.
    renamed: int
    #: Accepted by the provider although no publisher was promised it.
    unlisted: int
    #: Errors of the events that could not be dispatched.
    failed_events: list[str]
    #: (channel, state) → rows.
    states: Counter[tuple[str, str]]
    #: What our tables say that is not so.
    untrue: dict[str, int]
    #: Channel → seconds from commit to acceptance, sorted.
    seconds: dict[str, list[float]] = field(default_factory=dict)


def judge(accepted: Iterable[Accepted], calls: Iterable[Call], tables: Tables) -> Verdict:
    """Return the verdict over a run that has come to rest."""
    # A replay counts, too: the answer to the first call may have been lost with the database.
    accepted = list(accepted)
    promised = _promised(accepted)
    taken: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in calls:
        if call.accepted:
            taken[call.channel, call.address].append(call)
    explained = {(row.channel, row.address) for row in tables.deliveries if row.state in EXPLAINED}
    outside = {pair: at for pair, at in promised.items() if pair[0] in OUTSIDE}
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for pair, at in outside.items():
        if pair in taken:
            seconds[pair[0]].append((taken[pair][0].at - at) / 1e9)
    return Verdict(
        accepted_events=len({event for item in accepted for event in item.events}),
        promised=len(outside),
        delivered=len(outside.keys() & taken.keys()),
        lost=sorted(outside.keys() - taken.keys() - explained),
        duplicates=Counter({channel: _repeated(channel, taken) for channel in OUTSIDE}),
        renamed=sum(len({call.delivery for call in several}) > 1 for several in taken.values()),
        unlisted=len(taken.keys() - outside.keys()),
        failed_events=[row.last_error for row in tables.events if row.state == "failed"],
        states=Counter((row.channel, row.state) for row in tables.deliveries),
        untrue=_untrue(accepted, taken.keys(), tables),
        seconds={channel: sorted(values) for channel, values in seconds.items()},
    )


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that `percent` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] if ordered else 0.0


def _promised(accepted: Iterable[Accepted]) -> dict[tuple[str, str], int]:
    """Return (channel, address) → when it was committed first."""
    return {
        (channel, address(number, channel)): item.at
        for item in sorted(accepted, key=lambda item: item.at, reverse=True)
        for number in item.numbers
        for channel in item.channels
    }


def _repeated(channel: str, taken: dict[tuple[str, str], list[Call]]) -> int:
    return sum(len(several) - 1 for (name, _), several in taken.items() if name == channel)


def _untrue(accepted: list[Accepted], taken: Iterable[tuple[str, str]], tables: Tables) -> dict[str, int]:
    """Count what the tables claim and the world does not bear out, and what they left lying."""
    rows_of = Counter(row.event_id for row in tables.deliveries)
    known = {row.id for row in tables.events}
    promised_inbox = {
        (event, number)
        for item in accepted
        if "in_app" in item.channels and len(item.events) == 1
        for event in item.events
        for number in item.numbers
    }
    failed_inbox = {(row.event_id) for row in tables.deliveries if row.channel == "in_app" and row.state in EXPLAINED}
    over = set(taken)
    return {
        "events not over": sum(row.state not in EVENTS_OVER for row in tables.events),
        "deliveries not over": sum(row.state in DELIVERIES_OPEN for row in tables.deliveries),
        "events gone": sum(event not in known for item in accepted for event in item.events),
        "planned is not rows": sum(row.planned_count != rows_of[row.id] for row in tables.events),
        "sent but never accepted": sum(
            row.channel in OUTSIDE and row.state == "sent" and (row.channel, row.address) not in over
            for row in tables.deliveries
        ),
        "sent without a try": sum(
            row.channel in OUTSIDE and row.state == "sent" and not tables.sent_tries.get(row.id)
            for row in tables.deliveries
        ),
        "inbox items missing": sum(
            not tables.inbox[event, number] for event, number in promised_inbox if event not in failed_inbox
        ),
        "inbox items doubled": sum(number - 1 for number in tables.inbox.values()),
    }
