"""
The brokers of the wake-ups: Dramatiq's own, made fit for our use of them.

All lean on Dramatiq's inner classes, so its line is pinned (2.2). `rabbitmq` is imported by those who use it only: its
client takes a tenth of a second.
"""

from __future__ import annotations

from notifications.broker.embedded import MAX_DEAD_LETTERS, EmbeddedBroker
from notifications.broker.redis import MAX_WAIT, BlockingRedisBroker

__all__ = ["MAX_DEAD_LETTERS", "MAX_WAIT", "BlockingRedisBroker", "EmbeddedBroker"]
