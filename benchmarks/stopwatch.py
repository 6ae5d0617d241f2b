"""When the work of a wake-up began: a piece of middleware, only where a benchmark asks for it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import dramatiq
import redis

if TYPE_CHECKING:
    from dramatiq.broker import MessageProxy

#: In Redis: the instants at which a dispatch actor was begun.
BEGUN = "bench:begun"


class Stopwatch(dramatiq.Middleware):
    """Note the instant before each dispatch actor runs."""

    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(os.environ["REDIS_URL"])

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if message.actor_name.startswith("dispatch_"):
            self._redis.rpush(BEGUN, repr(time.time()))
