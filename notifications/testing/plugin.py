"""
The fixtures, for pytest: `pytest_plugins = ["notifications.testing.plugin"]` in the topmost conftest.py.

Nothing of Django is imported before a fixture is used, so that `-p notifications.testing.plugin` works as well.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from notifications import testing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from notifications.testing import CapturedEvents, Timeline


class StartTimeline(Protocol):
    """What the fixture `timeline` gives: `testing.timeline`, ended by the end of the test."""

    def __call__(self, start: str | datetime, zone: str = "UTC") -> Timeline: ...


@pytest.fixture
def published_events(db: None) -> Iterator[CapturedEvents]:
    """Return what the test publishes."""
    with testing.captured_events() as events:
        yield events


@pytest.fixture(name="timeline")
def start_timeline(db: None) -> Iterator[StartTimeline]:
    """Return a function that starts a timeline: `t = timeline("2026-03-28 23:00", "Europe/Berlin")`."""
    with ExitStack() as stack:

        def start(start: str | datetime, zone: str = "UTC") -> Timeline:
            return stack.enter_context(testing.timeline(start, zone))

        yield start
