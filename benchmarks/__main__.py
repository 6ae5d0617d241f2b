"""
Measure us and our peers, in turn, on the same servers; print a table, and write a JSON file.

    python -m tests.services --durable -- python -m benchmarks [--quick | --whole] [--only CASE] [--pairs N]

Over the servers of DATABASE_URL and REDIS_URL. What of the peers is not installed is left out, and said so.
"""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.cases import Case, Goal, Line, compare, percentile, say
from benchmarks.contestant import Contestant
from benchmarks.ours import Ours
from benchmarks.peers.contestants import PEERS

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).parent / "results" / "latest.json"
PRODUCERS = 4
#: Notifications of one run: of ours, of BullMQ, and of the plain ORM, at whose rate as many would take the day. A drain
#: is shorter in a quick run only: of few, some are done before all processes have started.
QUICK = {"drain": (2000, 1000, 200), "live": (2000, 1000), "batch": (10_000, 2500)}
USUAL = {"drain": (20_000, 4000, 500), "live": (8000, 4000), "batch": (40_000, 10_000)}
WHOLE = {"drain": (20_000, 10_000, 1250), "live": (20_000, 10_000), "batch": (100_000, 25_000)}


def cases(counts: dict[str, tuple[int, ...]]) -> list[Case]:
    """Return what is compared, and with the goals."""
    bull, tuned, celery, plain = (peer.name for peer in PEERS)
    ours, node, orm = counts["drain"]
    drain = Case(
        name="single, drain",
        run=lambda who, count: who.single_drain(count),
        count=ours,
        peers={
            bull: (Goal(must=2.5, aim=4), node),
            tuned: (None, node),
            plain: (Goal(must=8, aim=15), orm),
            celery: (None, orm),
        },
    )
    ours, node = counts["live"]
    live = Case(
        name="single, live",
        run=lambda who, count: who.single_live(count, PRODUCERS),
        count=ours,
        peers={bull: (Goal(must=1.3, aim=2), node), tuned: (None, node)},
    )
    ours, node = counts["batch"]
    personalised = Case(
        name="batch, personalised",
        run=lambda who, count: who.batch(count, shared=False),
        count=ours,
        peers={bull: (Goal(must=5, aim=8), node), tuned: (Goal(must=4, aim=6), node)},
    )
    shared = Case(
        name="batch, shared",
        run=lambda who, count: who.batch(count, shared=True),
        count=ours,
        peers={bull: (Goal(must=8, aim=15), node), tuned: (None, node)},
    )
    return [drain, live, personalised, shared]


def publish_cost(ours: Ours, pairs: int, rounds: int) -> list[Line]:
    """Return what a caller pays, against one bare INSERT of the same row."""
    goals = {50: Goal(must=1.5, aim=1.25, at_most=True), 95: Goal(must=2, aim=1.25, at_most=True)}
    name = {50: "publish cost, median", 95: "publish cost, p95"}
    lines = {at: Line(case=name[at], against="bare ORM INSERT", unit="ms", goal=goal) for at, goal in goals.items()}
    for number in range(pairs):
        say(f"publish cost, {number + 1} of {pairs}\n")
        bare, published = ours.publish_cost(rounds)
        for at, line in lines.items():
            line.theirs.append(percentile(bare, at) * 1000)
            line.ours.append(percentile(published, at) * 1000)
            line.ratios.append(line.ours[-1] / line.theirs[-1])
    return list(lines.values())


def wake_up(ours: Ours, bull: Contestant | None, pairs: int, samples: int) -> list[Line]:
    """Return how soon work begins on an idle system, can be read, and how late what was delayed comes."""
    goals = {50: Goal(must=2, aim=1, at_most=True), 99: Goal(must=3, aim=1, at_most=True)}
    against = bull.name if bull else ""
    begun = {at: Line(case=f"commit → actor, p{at}", against=against, unit="ms", goal=goals[at]) for at in goals}
    others = {
        (what, at): Line(case=f"{what}, p{at}", against="", unit="ms", goal=None)
        for what in ("commit → readable", "lateness of a 2 s delay")
        for at in goals
    }
    for number in range(pairs):
        say(f"wake-up, {number + 1} of {pairs}\n")
        found, theirs = ours.latencies(samples), bull.pickup(samples) if bull else []
        late = ours.latencies(samples // 4, delay=2.0)
        for at, line in begun.items():
            line.ours.append(percentile(found.begun, at) * 1000)
            if theirs:
                line.theirs.append(percentile(theirs, at) * 1000)
                line.ratios.append(line.ours[-1] / line.theirs[-1])
            others["commit → readable", at].ours.append(percentile(found.readable, at) * 1000)
            others["lateness of a 2 s delay", at].ours.append(percentile(late.begun, at) * 1000)
    return [*begun.values(), *others.values()]


def idle(ours: Ours, seconds: float) -> list[Line]:
    """Return what a worker takes that has nothing to do."""
    say("idle worker\n")
    line = Line(case="idle worker process", against="", unit="% of a core", goal=Goal(must=3, aim=1.5, at_most=True))
    line.ours.append(100 * ours.idle(seconds))
    return [line]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small numbers, one pair: to see that it runs")
    parser.add_argument("--whole", action="store_true", help="larger numbers: 100,000 in a batch")
    parser.add_argument("--pairs", type=int, help="of each case (default: 3; quick: 1)")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--folder", type=Path, default=Path(".benchmarks"), help="where what peers need is installed")
    parser.add_argument("--result", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    pairs = options.pairs or (1 if options.quick else 3)
    options.folder.mkdir(exist_ok=True)
    servers = {"database_url": os.environ["DATABASE_URL"], "redis_url": os.environ["REDIS_URL"]}
    folder = options.folder.resolve()
    ours = Ours(**servers, folder=folder)
    peers = [peer for peer in (kind(**servers, folder=folder) for kind in PEERS) if _can_run(peer)]
    counts = QUICK if options.quick else WHOLE if options.whole else USUAL
    for contestant in (ours, *peers):
        say(f"preparing {contestant.name}\n")
        contestant.prepare(max(numbers[contestant is not ours] for numbers in counts.values()))

    lines: list[Line] = []
    for case in cases(counts):
        if options.only in case.name:
            lines += compare(case, ours, [peer for peer in peers if peer.name in case.peers], pairs)
    bull = next((peer for peer in peers if peer.name == PEERS[0].name), None)
    rounds, samples = (300, 30) if options.quick else (2000, 100)
    measures: dict[str, Callable[[], list[Line]]] = {
        "publish cost": lambda: publish_cost(ours, pairs, rounds),
        "wake-up": lambda: wake_up(ours, bull, pairs, samples),
        "idle": lambda: idle(ours, 5.0 if options.quick else 20.0),
    }
    for name, measure in measures.items():
        if options.only in name:
            lines += measure()
    print(report.table(lines))
    report.save(options.result, lines, report.about((ours, *peers), **servers, now=datetime.now(UTC)))


def _can_run(peer: Contestant) -> bool:
    """Tell whether a peer can run here, and say why not."""
    missing = peer.missing()
    if missing:
        say(f"left out: {peer.name}: {missing}\n")
    return not missing


if __name__ == "__main__":
    main()
