"""No server: Dramatiq's in-memory broker, for one process that publishes and delivers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from dramatiq.broker import MessageProxy
from dramatiq.brokers.stub import StubBroker

if TYPE_CHECKING:
    from dramatiq import Message, Middleware

#: Dead letters are of interest only while somebody looks.
MAX_DEAD_LETTERS = 100


class EmbeddedBroker(StubBroker):
    """
    Dramatiq's in-memory broker, made fit for a long-lived process.

    The stock one keeps every dead letter with its traceback's frames (hundreds of MB), and in a process without a
    worker (`manage.py shell`) nobody would ever empty its queues. Nothing here has to survive: the row is the job.
    """

    def __init__(self, middleware: list[Middleware] | None = None) -> None:
        super().__init__(middleware)
        #: Set by the worker that consumes; without one, wake-ups are dropped and the clock elsewhere finds the rows.
        self.has_worker = False

    def declare_queue(self, queue_name: str) -> None:
        super().declare_queue(queue_name)
        self.dead_letters_by_queue[queue_name] = deque(maxlen=MAX_DEAD_LETTERS)  # type: ignore[assignment]

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        if not self.has_worker:
            return message
        return super().enqueue(message, delay=delay)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 100) -> Any:
        consumer = super().consume(queue_name, prefetch, timeout)
        consumer.nack = _nack_without_frames(consumer.nack)  # type: ignore[method-assign]
        return consumer


def _nack_without_frames(nack: Any) -> Any:
    def nack_and_clear(message: MessageProxy) -> None:
        MessageProxy.clear_exception(message)
        nack(message)

    return nack_and_clear
