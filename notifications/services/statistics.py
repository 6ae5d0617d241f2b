"""What became of deliveries, by day: a stand-in until the totals per day are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How many deliveries of a template ended, and how."""

    sent: int
    failed: int
    other: int


def of_templates(codes: Iterable[str], days: int = 7) -> dict[str, Volume]:
    """Return code → what became of its deliveries in the last days."""
    return {}
