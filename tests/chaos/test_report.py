"""What a chaos run measured is told in full."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.chaos.processes import ROOT
from tests.chaos.report import Report, page


def report(scenario="workers_killed"):
    one = Report(scenario=scenario, profile="full", seed=7, seconds=80.0)
    one.note(promised=40_000, recovery_seconds=61.25)
    one.equal("lost", 0, 0)
    one.at_most("duplicates_email", 9, 120)
    one.at_least("kills", 40, 10)
    return one


def document(*reports):
    machine = {"system": "Linux", "processors": 2, "python": "3.11.7"}
    return {"profile": "full", "seed": 7, "machine": machine, "scenarios": [one.as_dict() for one in reports]}


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_report_comes_back_from_its_json():
    assert Report.from_dict(json.loads(json.dumps(report().as_dict()))) == report()


def test_the_page_shows_each_figure_with_what_it_may_be():
    heading, _, columns, _, line = page(document(report())).splitlines()

    assert heading == "Profile full, seed 7, 2 processors, Python 3.11.7."
    assert dict(zip(cells(columns), cells(line), strict=True)) == {
        "scenario": "`workers_killed`",
        "promised": "40000",
        "lost": "0",
        "e-mails doubled": "9 (≤ 120)",
        "texts doubled": "–",
        "recovery, s": "61.25",
        "p99, s": "–",
        "other figures": "kills 40 (≥ 10)",
    }


def test_the_page_does_not_hide_what_was_missed_or_not_played():
    missed, skipped = report(), Report(scenario="rabbitmq_killed", profile="full", seed=7, skipped="No RabbitMQ")
    missed.equal("unknown", 2, 0)

    *_, first, second = page(document(missed, skipped)).splitlines()

    assert cells(first)[-1] == "MISSED: unknown is 2, must be 0; kills 40 (≥ 10); unknown 2"
    assert cells(second)[-1] == "skipped: No RabbitMQ"


def test_last_words_stay_in_their_cell():
    failed = report()
    failed.missed.append("RuntimeError: it ended:\nTraceback | of\n  many lines")

    *_, line = page(document(failed)).splitlines()

    assert "MISSED: RuntimeError: it ended: Traceback \\| of many lines; kills 40" in line


def test_a_kept_run_is_printed_as_a_table(tmp_path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps(document(report())), encoding="utf-8")
    command = [sys.executable, "-m", "tests.chaos", "--table", str(file)]

    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout

    assert printed == f"{page(document(report()))}\n"
