"""The chaos scenarios under pytest: only when they are asked for, by `-m chaos`."""

from __future__ import annotations

import pytest


def pytest_configure(config):
    config.addinivalue_line("markers", "chaos: breaks real servers and processes, for minutes (make chaos)")


def pytest_collection_modifyitems(config, items):
    """Leave them out unless the expression of `-m` names them."""
    if "chaos" in config.getoption("markexpr"):
        return
    chaos = [item for item in items if item.get_closest_marker("chaos")]
    items[:] = [item for item in items if item not in chaos]
    config.hook.pytest_deselected(items=chaos)


@pytest.fixture(scope="session")
def stage():
    """Run the PostgreSQL that the scenarios share."""
    from tests.chaos.__main__ import PEOPLE
    from tests.chaos.stage import opened

    with opened(people=PEOPLE["short"]) as stage:
        yield stage


@pytest.fixture(scope="session")
def seed():
    """Return what decides whom and when; CHAOS_SEED plays the same again."""
    import os
    import random

    return int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))  # noqa: S311 - replayable
