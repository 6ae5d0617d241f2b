"""
Call events back, from a process of its own, and print the instant at which the last call returned.

    python -m tests.chaos.canceller < IDS
"""

from __future__ import annotations

import sys
import time
from uuid import UUID

import django

if __name__ == "__main__":
    django.setup()
    from notifications.publishing import cancel_event

    for name in sys.stdin.read().split():
        cancel_event(UUID(name))
    sys.stdout.write(f"{time.monotonic_ns()}\n")
