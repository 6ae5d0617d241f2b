"""The one clock: nothing else in the system asks what time it is."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """Return the current instant, aware, UTC."""
    return timezone.now()
