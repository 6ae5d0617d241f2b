"""What is promised holds while things break: every scenario of the chaos suite, in its short profile."""

from __future__ import annotations

import pytest

from tests.chaos.scenario import play
from tests.chaos.scenarios import ALL

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_what_is_promised_holds(scenario, stage, seed):
    report = play(scenario, profile="short", seed=seed, stage=stage)

    if report.skipped:
        pytest.skip(report.skipped)
    assert report.missed == [], f"CHAOS_SEED={seed}: {report.figures}"
