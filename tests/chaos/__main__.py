"""
Break the system on purpose, with real processes, and say what came of it.

    python -m tests.chaos [--profile short|full] [--seed N] [--only NAME …] [--jobs N] [--json FILE] [--list]
    python -m tests.chaos --table FILE

Prints one line of JSON for each scenario and a table at the end. Exits with 1 if any missed what it must hold.
`--table` prints the table of docs/reliability.md for a file that `--json` wrote.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos import stage as stages
from tests.chaos.report import page, table
from tests.chaos.scenario import play
from tests.chaos.scenarios import ALL, BY_NAME
from tests.servers import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.chaos.report import Report
    from tests.chaos.scenario import Profile, Scenario

#: Recipients there are, by profile: the most any scenario tells.
PEOPLE = {"short": 2000, "full": 100_000}
#: Scenarios that mostly wait, side by side, by profile.
JOBS = {"short": 2, "full": 1}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Break the system on purpose.")
    parser.add_argument("--profile", choices=sorted(PEOPLE), default="short", help="how big and how long")
    parser.add_argument("--seed", type=int, help="decides whom and when; printed, to play the same again")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=sorted(BY_NAME), help="play these only")
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="play so many of those that wait side by side (short: 3, full: 1)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--list", action="store_true", help="say which scenarios there are")
    parser.add_argument("--table", type=Path, metavar="FILE", help="print such a file as a table of Markdown")
    options = parser.parse_args()
    if options.table:
        sys.stdout.write(f"{page(json.loads(options.table.read_text(encoding='utf-8')))}\n")
        return 0
    if options.list:
        for scenario in ALL:
            sys.stdout.write(f"{scenario.name}\n    {scenario.summary}\n")
        return 0
    if options.json and not options.json.parent.is_dir():
        parser.error(f"there is no folder {options.json.parent}")
    seed = random.randrange(1_000_000) if options.seed is None else options.seed  # noqa: S311 - not a secret
    # Ending us ends everything we started.
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    try:
        chosen = [scenario for scenario in ALL if not options.only or scenario.name in options.only]
        reports = _play(chosen, profile=options.profile, seed=seed, jobs=options.jobs or JOBS[options.profile])
    except ServiceError as e:
        parser.exit(2, f"{e}\n")
    sys.stdout.write(f"\nprofile {options.profile}, seed {seed}\n\n{table(reports)}\n")
    if options.json:
        options.json.write_text(json.dumps(_document(reports, options.profile, seed), indent=1), encoding="utf-8")
    return 0 if all(report.passed for report in reports) else 1


def _play(scenarios: list[Scenario], *, profile: Profile, seed: int, jobs: int) -> list[Report]:
    """Play the patient ones, `jobs` at a time, then the others one after the other; return how they ended."""
    sys.stdout.write(f"profile {profile}, seed {seed}\n")
    reports = []
    with stages.opened(people=PEOPLE[profile]) as stage:
        for lane, several in ((jobs, True), (1, False)):
            chosen = [scenario for scenario in scenarios if scenario.patient is several]
            if lane > 1:
                # The longest first, or the others would wait for it at the end.
                chosen.sort(key=lambda scenario: -scenario.limits[profile])
            play_one = partial(play, profile=profile, seed=seed, stage=stage, side_by_side=lane)
            for report in _side_by_side(chosen, lane, play_one, stage):
                sys.stdout.write(f"{json.dumps(report.as_dict())}\n")
                sys.stdout.flush()
                reports.append(report)
    return reports


def _side_by_side(
    scenarios: list[Scenario], jobs: int, play_one: Callable[[Scenario], Report], stage: stages.Stage
) -> Iterator[Report]:
    with ThreadPoolExecutor(jobs) as pool:
        playing = [pool.submit(play_one, scenario) for scenario in scenarios]
        try:
            for one in as_completed(playing):
                yield one.result()
        except BaseException:
            # Ctrl-C, or SIGTERM: the threads are waited for, so they have to hear of it.
            stage.stopping.set()
            pool.shutdown(cancel_futures=True)
            raise


def _document(reports: list[Report], profile: str, seed: int) -> dict[str, object]:
    machine = {"system": platform.system(), "processors": os.cpu_count(), "python": platform.python_version()}
    return {
        "profile": profile,
        "seed": seed,
        "machine": machine,
        "scenarios": [report.as_dict() for report in reports],
    }


if __name__ == "__main__":
    sys.exit(main())
