"""Redis or Valkey as the broker: consumers that wait inside Redis."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

from notifications.broker.due import DueTimes

if TYPE_CHECKING:
    from dramatiq.broker import MessageProxy

logger = logging.getLogger("notifications.broker")

#: Seconds one wait lasts: below redis-py's socket time-out, and soon enough for heartbeats and a stopping worker.
MAX_WAIT = 1.0
#: Seconds after which messages are asked for although none came: that tells the others that this worker is alive.
MAX_SILENCE = 5.0
#: Under a stream of messages, waking for each costs throughput: rest this long if the last wait was short.
BUSY_REST = 0.003
BUSY_WAIT = 0.02


class BlockingRedisBroker(RedisBroker):
    """
    Dramatiq's Redis broker with consumers that wait inside Redis (6.2 or newer) instead of polling.

    The stock consumer polls an idle queue with a back-off of up to a second, and a delayed message pays that twice.
    """

    @property
    def consumer_class(self) -> type[_RedisConsumer]:
        return _BlockingConsumer


class _BlockingConsumer(_RedisConsumer):
    """
    Waits with `BLMOVE q q LEFT LEFT`: when an id comes, Redis pops the head and pushes it back at the head.

    The list is as before, so nothing can be lost in the wait, and stock consumers and producers mix with this one.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)  # type: ignore[no-untyped-call]
        self._due = DueTimes()
        self._can_block = True
        self._came = True
        self._asked_at = 0.0

    def __next__(self) -> MessageProxy | None:
        try:
            if not self.message_cache and self.outstanding_message_count < self.prefetch:
                if self._came or time.monotonic() - self._asked_at >= MAX_SILENCE:
                    self._ask()
                if not self.message_cache:
                    self._came = self._wait()
                    return None
            message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
        except redis.TimeoutError as e:
            # Not a ConnectionError for redis-py; raised on, it would end the consumer's thread for good.
            raise ConnectionClosed(e) from None
        except redis.ConnectionError as e:
            raise ConnectionClosed(e) from None
        if message is not None:
            self._due.note(message)
        return message

    def ack(self, message: MessageProxy) -> None:
        self._let_go(super().ack, message)

    def nack(self, message: MessageProxy) -> None:
        self._let_go(super().nack, message)

    def requeue(self, messages: Any) -> None:
        try:
            super().requeue(messages)  # type: ignore[no-untyped-call]
        except redis.RedisError as e:
            logger.warning("wake-ups not put back queue=%s error=%s", self.queue_name, type(e).__name__)

    def _let_go(self, how: Any, message: MessageProxy) -> None:
        """Tell Redis that a message is done; if it cannot be told, a wake-up too many comes later, which is harmless."""
        try:
            how(message)
        except (ConnectionClosed, redis.RedisError) as e:
            # Raised, it would hold the worker's thread until Redis is back.
            logger.warning("wake-up not acknowledged queue=%s error=%s", self.queue_name, type(e).__name__)

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        self.message_cache = self.broker.do_fetch(self.queue_name, self.prefetch - self.outstanding_message_count)

    def _wait(self) -> bool:
        """Wait until the list has an id, a delayed message falls due, or `MAX_WAIT` is over; return if it may have one."""
        seconds = self._due.wait(MAX_WAIT)
        if not self._can_block:
            time.sleep(min(seconds, self.timeout / 1000))
            return True
        queue = f"{self.broker.namespace}:{self.queue_name}"
        started = time.monotonic()
        came = True
        try:
            came = self.broker.client.blmove(queue, queue, seconds, "LEFT", "LEFT") is not None
        except redis.ResponseError as e:
            # Too old, not allowed or out of memory: poll, as the stock consumer does.
            logger.warning("cannot wait in Redis, polling queue=%s error=%s", self.queue_name, e)
            self._can_block = False
        if time.monotonic() - started < BUSY_WAIT:
            time.sleep(BUSY_REST)
        return came
