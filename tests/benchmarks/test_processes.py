"""Processes of a benchmark that begin together."""

from __future__ import annotations

import sys

import pytest

from benchmarks.contestant import Void
from benchmarks.processes import finish

#: Takes so long to start, says so, and prints when it was told to begin.
PROGRAM = (
    "import sys, time; time.sleep(float(sys.argv[1])); print('ready', flush=True); "
    "sys.stdin.readline(); print(time.monotonic())"
)


def test_who_is_ready_waits_for_the_last():
    started = finish([[sys.executable, "-c", PROGRAM, seconds] for seconds in ("0", "1.5")], {}, together=True)

    first, last = map(float, started)
    assert last - first < 1


def test_one_that_fails_before_it_is_ready_makes_the_run_void():
    with pytest.raises(Void, match="ended with 3"):
        finish([[sys.executable, "-c", PROGRAM, "0"], [sys.executable, "-c", "exit(3)"]], {}, together=True)
