"""The judge of the chaos suite finds what it is there to find."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.chaos.judge import judge, percentile
from tests.chaos.processes import ROOT
from tests.chaos.provider import Call
from tests.chaos.publications import Accepted
from tests.chaos.scenarios import ALL
from tests.chaos.tables import DeliveryRow, EventRow, Tables


def accepted(number, *, event="e1", channels=("email", "sms")):
    return Accepted(
        events=(event,), created=True, numbers=(number,), channels=channels, key="", begun=0, at=1_000_000_000
    )


def call(address, *, channel="email", answer="accept", delivery="d1", at=3_000_000_000):
    return Call(channel=channel, delivery=delivery, address=address, answer=answer, begun=at, at=at, wall=0.0)


def row(address, *, channel="email", state="sent", delivery="d1", event="e1"):
    return DeliveryRow(
        id=delivery, event_id=event, channel=channel, address=address, state=state, reason="", attempts=1, claims=0
    )


def tables(*rows, events=("e1",), planned=None, inbox=()):
    return Tables(
        events=[
            EventRow(
                id=event, state="dispatched", planned_count=len(rows) if planned is None else planned, last_error=""
            )
            for event in events
        ],
        deliveries=list(rows),
        sent_tries={row.id: 1 for row in rows},
        inbox=Counter(inbox),
    )


U1, P1 = "u1@chaos.example", "+15550000001"
BOTH = (row(U1), row(P1, channel="sms", delivery="d2"))


def test_what_was_promised_and_accepted_is_fine():
    verdict = judge([accepted(1)], [call(U1), call(P1, channel="sms", delivery="d2")], tables(*BOTH))

    assert (verdict.promised, verdict.delivered, verdict.lost, verdict.unlisted, verdict.renamed) == (2, 2, [], 0, 0)
    assert verdict.duplicates == {"email": 0, "sms": 0}
    assert set(verdict.untrue.values()) == {0}
    assert verdict.seconds == {"email": [2.0], "sms": [2.0]}


def test_what_the_provider_never_accepted_is_lost_whatever_our_tables_say():
    verdict = judge([accepted(1)], [call(U1), call(P1, channel="sms", answer="500")], tables(*BOTH))

    assert verdict.lost == [("sms", P1)]
    assert verdict.untrue["sent but never accepted"] == 1


@pytest.mark.parametrize("state", ["failed", "unknown", "cancelled", "expired", "suppressed"])
def test_what_has_a_reason_is_not_lost(state):
    verdict = judge([accepted(1, channels=("email",))], [], tables(row(U1, state=state)))

    assert verdict.lost == []


def test_what_is_still_waiting_is_lost_and_not_over():
    verdict = judge([accepted(1, channels=("email",))], [], tables(row(U1, state="pending")))

    assert verdict.lost == [("email", U1)]
    assert verdict.untrue["deliveries not over"] == 1


def test_what_was_accepted_twice_is_doubled_even_if_the_answer_was_cut():
    twice = [call(U1, answer="cut"), call(U1)]

    verdict = judge([accepted(1, channels=("email",))], twice, tables(row(U1)))

    assert verdict.duplicates["email"] == 1
    assert verdict.renamed == 0


def test_two_deliveries_to_one_address_are_renamed():
    twice = [call(U1, delivery="d1"), call(U1, delivery="d9")]

    verdict = judge([accepted(1, channels=("email",))], twice, tables(row(U1)))

    assert (verdict.duplicates["email"], verdict.renamed) == (1, 1)


def test_what_nobody_was_promised_is_unlisted():
    verdict = judge([], [call(U1)], tables(row(U1)))

    assert verdict.unlisted == 1


def test_what_the_tables_leave_out_is_found():
    item = accepted(1, channels=("in_app", "email"))
    gone = judge([item], [call(U1)], tables(row(U1), events=()))
    fewer = judge([item], [call(U1)], tables(row(U1), planned=2))
    doubled = judge([item], [call(U1)], tables(row(U1), inbox=[("e1", 1), ("e1", 1)]))

    assert gone.untrue["events gone"] == 1
    assert fewer.untrue["planned is not rows"] == 1
    assert fewer.untrue["inbox items missing"] == 1
    assert doubled.untrue["inbox items doubled"] == 1


def test_a_percentile_is_a_value_that_was_there():
    values = [float(number) for number in range(1, 101)]

    assert (percentile(values, 50), percentile(values, 99), percentile([], 99)) == (51.0, 100.0, 0.0)


def test_the_page_on_reliability_lists_every_scenario():
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    section = page.split("## The scenarios")[1].split("## Measured")[0]

    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [scenario.name for scenario in ALL]
