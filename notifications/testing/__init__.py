"""
Test kit for whoever publishes: what was published, and what is sent to whom, when, by which channel. docs/testing.md

    with timeline("2026-03-28 23:00", "Europe/Berlin") as t:
        place_order(...)
        t.advance(hours=9)
        t.assert_sent(alice, "email", template="ORDER_CREATED")

No broker, no worker, no sleeping: the kit does what the clock and the actors would, at the instants they would do it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notifications.testing.expectations import assert_published
    from notifications.testing.published import CapturedEvents, Published, captured_events
    from notifications.testing.recording import Sent
    from notifications.testing.timelines import Timeline, timeline

__all__ = ["CapturedEvents", "Published", "Sent", "Timeline", "assert_published", "captured_events", "timeline"]

_HOMES = {
    "CapturedEvents": "published",
    "Published": "published",
    "assert_published": "expectations",
    "captured_events": "published",
    "Sent": "recording",
    "Timeline": "timelines",
    "timeline": "timelines",
}


def __getattr__(name: str) -> Any:
    """Import at first use: pytest imports a plugin before Django is set up, and only timelines need time-machine."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
