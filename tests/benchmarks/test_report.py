"""What the table says of figures: a wrong verdict would be a wrong claim."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from benchmarks import report
from benchmarks.cases import Case, Goal, Line, compare, percentile
from benchmarks.contestant import Run, Void

FASTER, SOONER = Goal(must=2, aim=4), Goal(must=3, aim=1.5, at_most=True)


class Contestant:
    def __init__(self, name, *seconds):
        self.name, self._seconds, self.asked = name, list(seconds), []

    def work(self, count):
        self.asked.append(count)
        seconds = self._seconds.pop(0)
        if seconds is None:
            message = "2 rows are missing."
            raise Void(message)
        return Run(count=count, seconds=seconds)


@pytest.mark.parametrize(
    ("goal", "ratio", "verdict"),
    [
        (FASTER, 4, "aim reached"),
        (FASTER, 3.99, "reached"),
        (FASTER, 1.99, "missed"),
        (SOONER, 1.5, "aim reached"),
        (SOONER, 3, "reached"),
        (SOONER, 3.01, "missed"),
    ],
)
def test_a_goal_is_reached_or_missed(goal, ratio, verdict):
    assert goal.verdict(ratio) == verdict


def compared(ours, theirs, *, count=1000, pairs=3):
    peers: dict[str, tuple[Goal | None, int]] = {"peer": (FASTER, count)}
    case = Case(name="work", run=lambda who, count: cast("Any", who).work(count), count=1000, peers=peers)
    [line] = compare(case, ours, [theirs], pairs)
    return line


def test_a_ratio_is_that_of_two_runs_made_one_after_the_other():
    line = compared(Contestant("ours", 1, 2, 4), Contestant("peer", 3, 6, 20))

    assert line.ratios == [3, 3, 5]
    assert "3.00 x" in report.table([line])
    assert "3.00 - 5.00" in report.table([line])
    assert "reached" in report.table([line])


def test_a_peer_that_does_fewer_is_compared_by_its_rate():
    theirs = Contestant("peer", 1, 1, 1)

    line = compared(Contestant("ours", 1, 1, 1), theirs, count=250)

    assert (theirs.asked, line.ratios) == ([250] * 3, [4, 4, 4])


def test_a_run_that_lost_rows_voids_the_line(tmp_path):
    line = compared(Contestant("ours", 1, 1, 1), Contestant("peer", 9, None))

    assert "void: 2 rows are missing." in report.table([line])
    report.save(tmp_path / "found.json", [line], {"at": "now"})
    assert json.loads((tmp_path / "found.json").read_text())["lines"][0]["verdict"] == ""


def test_ours_that_lost_rows_is_an_end_to_everything():
    with pytest.raises(Void):
        compared(Contestant("ours", None), Contestant("peer", 1))


def test_a_figure_without_a_peer_is_judged_itself():
    line = Line(case="idle", against="", unit="% of a core", goal=SOONER, ours=[2.0])

    assert report.table([line]).splitlines()[-1].split("  ")[-1] == "reached"


def test_percentiles():
    values = [float(number) for number in range(1, 102)]

    assert (percentile(values, 50), percentile(values, 99)) == (51, 100)
