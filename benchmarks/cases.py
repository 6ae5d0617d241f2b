"""The cases, and how ours and a peer run them in turn: what counts is the ratio of two runs made one after the other."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks.contestant import Void

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.contestant import Contestant, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the ratio to a peer must be, and should be; as many times as fast, or at most so many times as long."""

    must: float
    aim: float
    at_most: bool = False

    def verdict(self, ratio: float) -> str:
        for goal, word in ((self.aim, "aim reached"), (self.must, "reached")):
            if ratio <= goal if self.at_most else ratio >= goal:
                return word
        return "missed"


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of the table."""

    case: str
    #: Against whom, or what; empty: a figure of its own.
    against: str
    unit: str
    goal: Goal | None
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    #: Ours to theirs, pair by pair.
    ratios: list[float] = field(default_factory=list)
    #: Why there are no figures.
    void: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One work, as ours and the peers do it."""

    name: str
    run: Callable[[Contestant, int], Run]
    #: Notifications of one of our runs.
    count: int
    #: Peer → what the ratio must be (None: only told), and the notifications of one of its runs.
    peers: dict[str, tuple[Goal | None, int]]


def compare(case: Case, ours: Contestant, peers: Sequence[Contestant], pairs: int) -> list[Line]:
    """Run a case so many times, ours and then each peer; return a line for each peer."""
    lines = {
        peer.name: Line(case=case.name, against=peer.name, unit="/s", goal=case.peers[peer.name][0]) for peer in peers
    }
    for number in range(pairs):
        say(f"{case.name}, {number + 1} of {pairs}: {ours.name}")
        rate = case.run(ours, case.count).rate
        say(f" {rate:,.0f}/s")
        for peer in peers:
            line = lines[peer.name]
            if line.void:
                continue
            say(f"; {peer.name}")
            try:
                theirs = case.run(peer, case.peers[peer.name][1]).rate
            except Void as e:
                line.void = str(e)
                continue
            say(f" {theirs:,.0f}/s")
            line.ours.append(rate)
            line.theirs.append(theirs)
            line.ratios.append(rate / theirs)
        say("\n")
    return list(lines.values())


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value below which so many per cent lie."""
    return median(values) if percent == 50 else quantiles(values, n=100, method="inclusive")[percent - 1]


def say(text: str) -> None:
    """Show how far it is; the table comes at the end."""
    print(text, end="", file=sys.stderr, flush=True)
