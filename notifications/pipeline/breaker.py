"""The circuit breaker: a backend that fails is paused, so that a queue is not burned on it. Hold, not drop."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F, Q

from notifications import signals
from notifications.exceptions import MisconfiguredError, PermanentError
from notifications.models import Pause
from notifications.pipeline import pausing
from notifications.types import PauseOrigin, PauseScope
from notifications.values import Receipt

if TYPE_CHECKING:
    from datetime import datetime

#: A backend is judged by its last so many seconds, once it was called so many times, when so many of them failed.
WINDOW, MIN_CALLS, MAX_FAILED = 30.0, 20, 0.5
#: The first pause, and the longest: each that follows at once is twice as long.
FIRST, LONGEST = timedelta(seconds=30), timedelta(minutes=10)


class _Calls:
    """The last calls of each backend by this process, by the second they ended in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: [second of time.monotonic, calls, failures], the oldest first.
        self._seconds: defaultdict[str, deque[list[int]]] = defaultdict(deque)

    def add(self, backend: str, *, calls: int, failed: int) -> bool:
        """Note calls; return whether too many of the last ones failed."""
        now = int(time.monotonic())
        with self._lock:
            seconds = self._seconds[backend]
            if not seconds or seconds[-1][0] != now:
                seconds.append([now, 0, 0])
            seconds[-1][1] += calls
            seconds[-1][2] += failed
            while seconds[0][0] < now - WINDOW:
                seconds.popleft()
            if not failed:
                return False
            number, failures = (sum(column) for column in list(zip(*seconds, strict=True))[1:])
            return bool(number >= MIN_CALLS and failures >= MAX_FAILED * number)

    def forget(self, backend: str) -> None:
        with self._lock:
            self._seconds.pop(backend, None)


_calls = _Calls()


def forget() -> None:
    """Drop what this process knows of past calls."""
    global _calls  # noqa: PLW0603
    _calls = _Calls()


def note(backend: str, *results: Receipt | Exception, now: datetime) -> bool:
    """
    Take note of a provider's answers, and pause the backend if it fails; return whether that was called for.

    A refused message is no failure of the backend.
    """
    failed = sum(not isinstance(result, Receipt | PermanentError) for result in results)
    too_many = _calls.add(backend, calls=len(results), failed=failed)
    if not (too_many or any(isinstance(result, MisconfiguredError) for result in results)):
        return False
    open_for(backend, now=now)
    return True


def open_for(backend: str, *, now: datetime) -> None:
    """Pause a backend for half a minute; for twice as long as before when it had only just come back."""
    _calls.forget(backend)
    length = _pause(backend, now)
    # Also when another process was first: what this one knows of pauses is older than that one.
    pausing.forget()
    if length is not None:
        signals.breaker_opened.send(_Calls, backend=backend, seconds=length.total_seconds())


def _pause(backend: str, now: datetime) -> timedelta | None:
    """Write the pause; return how long it is, None if there was one."""
    own = {"scope": PauseScope.BACKEND, "key": backend, "lifted_at": None}
    last = Pause.objects.filter(**own).first()
    if last is None:
        # Somebody else may do the same at this moment; one pause is enough.
        pause = Pause(scope=PauseScope.BACKEND, key=backend, origin=PauseOrigin.BREAKER, created_at=now)
        pause.until = now + FIRST
        Pause.objects.bulk_create([pause], ignore_conflicts=True)
        return FIRST
    if last.until is None or last.until > now:
        return None
    length = min(2 * (last.until - last.created_at), LONGEST)
    guard = Q(pk=last.pk, until=last.until, origin=PauseOrigin.BREAKER)
    return length if Pause.objects.filter(guard).update(created_at=now, until=now + length) else None


def close_recovered(now: datetime, limit: int) -> int:
    """Lift the pauses of backends that have come back to their full rate; return how many."""
    recovered = now - timedelta(seconds=pausing.RAMP)
    over = Pause.objects.filter(lifted_at__isnull=True, until__isnull=False)
    # A pause staff gave an end is lifted at it.
    ended = Q(origin=PauseOrigin.BREAKER, until__lte=recovered) | Q(origin=PauseOrigin.STAFF, until__lte=now)
    pks = list(over.filter(ended).values_list("pk", flat=True)[:limit])
    return over.filter(ended, pk__in=pks).update(lifted_at=F("until"))
