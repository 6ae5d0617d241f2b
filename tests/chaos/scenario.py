"""What a scenario is, and how one is played."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.chaos import run as runs
from tests.chaos.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.run import Run
    from tests.chaos.stage import Stage

Profile = Literal["short", "full"]
Database = Literal["copy", "own", "sqlite"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A fault, what is done meanwhile, and what must hold: `play` says the first two, and asks for the third."""

    name: str
    play: Callable[[Run], None]
    #: Seconds after which it has failed, by profile.
    limits: dict[Profile, float]
    database: Database
    redis: bool
    #: It mostly waits, and asks for no latency that a busy machine misses: it may be played beside others of its kind.
    patient: bool

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (self.play.__doc__ or "").strip().splitlines()[0]


def scenario(
    *,
    short: float = 60,
    full: float = 600,
    database: Database = "copy",
    redis: bool = True,
    patient: bool = False,
) -> Callable[[Callable[[Run], None]], Scenario]:
    """Make a scenario of a function; `short` and `full` are its time limits in seconds."""

    def declare(play: Callable[[Run], None]) -> Scenario:
        limits: dict[Profile, float] = {"short": short, "full": full}
        return Scenario(name=play.__name__, play=play, limits=limits, database=database, redis=redis, patient=patient)

    return declare


def play(scenario: Scenario, *, profile: Profile, seed: int, stage: Stage, side_by_side: int = 1) -> Report:
    """
    Play a scenario to its end, whatever that is; what went wrong is in the report, with the last words of all.

    Its time limit is that of a machine to itself: of those that are played side by side, each has so many times as long.
    """
    started = time.monotonic()
    with runs.opened(
        scenario.name,
        profile=profile,
        seed=seed,
        stage=stage,
        limit=scenario.limits[profile] * side_by_side,
        database=scenario.database,
        redis=scenario.redis,
    ) as run:
        report = run.report
        try:
            scenario.play(run)
        except runs.Skipped as e:
            report.skipped = str(e)
        except runs.OutOfTime as e:
            report.missed.append(f"{e}; {run.left()}")
        except Exception as e:  # noqa: BLE001 - whatever it is, the other scenarios are still to be played
            report.missed.append(f"{type(e).__name__}: {e}")
        report.note(workers_ended=run.crew.faults())
        if report.missed:
            _show_last_words(run)
    report.seconds = time.monotonic() - started
    return report


def _show_last_words(run: Run) -> None:
    for log in run.household.logs():
        text = log.read_text(encoding="utf-8", errors="replace")[-3000:]
        if text.strip():
            sys.stderr.write(f"--- {run.report.scenario}: {log.name}\n{text}\n")
