"""When the delayed messages a consumer has handed over fall due: the worker looks at them after each wait."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from dramatiq.common import current_millis

if TYPE_CHECKING:
    from dramatiq.broker import MessageProxy


class DueTimes:
    """A consumer that waited longer than until the first of these would deliver it late."""

    def __init__(self) -> None:
        #: Unix milliseconds, a heap.
        self._due: list[float] = []

    def note(self, message: MessageProxy) -> None:
        """Remember when this message falls due, if it is a delayed one."""
        eta = message.options.get("eta")
        if isinstance(eta, int | float):
            heapq.heappush(self._due, eta)

    def wait(self, limit: float) -> float:
        """Return how many seconds the next wait may last: more than none, at most `limit`."""
        now = current_millis()
        while self._due and self._due[0] <= now:
            heapq.heappop(self._due)
        # Just past the millisecond, or the worker would look too early.
        return min(limit, (self._due[0] - now) / 1000 + 0.001) if self._due else limit
