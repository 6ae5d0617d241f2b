"""What is different while a timeline runs: no provider, no broker, no clock but the timeline's."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import patch

from django.test import override_settings

from notifications import clock, conf, ids, registry, wakeups
from notifications.pipeline import breaker, draining, pausing, sizing, wording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from notifications.testing.recording import Record

#: Of the whole process: two timelines of one test may stand at the same instant.
_numbers = itertools.count()


@contextmanager
def stage(record: Record) -> Iterator[None]:
    """Put everything in place, and put it back."""
    # The machine's clock is the one that travels, and nobody waits for a turn.
    overridden = {**conf.declared(), "CLOCK_CHECK": 0, "RATES": {"default": 0}, "REALTIME_URL": ""}
    travelled = SimpleNamespace(monotonic=time.time)
    with ExitStack() as stack:
        stack.enter_context(override_settings(NOTIFICATIONS=overridden))
        for owner, name, value in (
            (clock, "_offset", timedelta(0)),
            (wakeups, "ring", _ring_nowhere),
            # Not the setting: pauses and the circuit breaker know a backend by its name there.
            (registry, "adapter", lru_cache(record.adapter)),
            # While time stands still, ids keep the order in which they were made.
            (ids, "_random_62_bits", _numbers.__next__),
            # The breaker counts the failures of half a minute; that minute passes here.
            (breaker, "time", travelled),
            (pausing, "time", travelled),
            # A worker of another test may have been told to stop.
            (draining.places, "stopping", threading.Event()),
        ):
            stack.enter_context(patch.object(owner, name, value))
        _forget()
        stack.callback(_forget)
        yield


def _ring_nowhere(actor: str, due_at: datetime | None = None) -> None:
    """Drop a wake-up: the timeline looks for what is due."""


def _forget() -> None:
    """Let the process forget what it remembers of another time."""
    breaker.forget()
    sizing.forget()
    pausing.forget()
    wording.forget()
