"""RabbitMQ as the broker: one thread of each process publishes, and consumers look up when a delay is over."""

from __future__ import annotations

import logging
import os
import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer
from dramatiq.errors import ConnectionClosed
from pika.exceptions import AMQPError

from notifications.broker.due import DueTimes

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq import Message, Middleware
    from dramatiq.broker import Consumer, MessageProxy

logger = logging.getLogger("notifications.broker")

#: Of every connection, in seconds but for the attempts; a URL that says otherwise goes first (pika's `URLParameters`).
CONNECTION = {
    "heartbeat": 60,
    "connection_attempts": 1,
    "socket_timeout": 2,
    "stack_timeout": 5,
    "blocked_connection_timeout": 5,
}
#: RabbitMQ has this many seconds to confirm a message; whoever sent it then counts it as lost.
PATIENCE = 2.0
#: While nothing is published, heartbeats are answered this often.
IDLE = 1.0
#: A stopping worker waits this long for the farewell of each of its consumers; there are two for each queue.
FAREWELL = 0.2


class RabbitBroker(RabbitmqBroker):
    """
    Dramatiq's RabbitMQ broker with one publishing thread per process, a bound on its time, and prompt delays.

    The stock one opens a connection in each thread that publishes, where nobody answers RabbitMQ's heartbeats between
    two messages, and a RabbitMQ that has stopped answering holds such a thread for minutes.

    `url`: amqp:// or amqps://, for the nodes of a cluster several, separated by semicolons.
    """

    def __init__(self, *, url: str, middleware: list[Middleware] | None = None) -> None:
        urls = [with_defaults(node) for node in url.split(";")]
        super().__init__(url=urls, confirm_delivery=True, middleware=middleware)
        # It logs what it raises, with tracebacks; Dramatiq and we log what comes of it.
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Have no connection yet; again in a forked child, because the parent's are the parent's to use and close."""
        self.connections, self.channels, self.state = set(), set(), threading.local()
        self._lock = threading.Lock()
        self._publisher: _Publisher | None = None

    @property
    def consumer_class(self) -> type[_RabbitmqConsumer]:
        return _RabbitConsumer

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        try:
            return super().consume(queue_name, prefetch, timeout)
        finally:
            # The one that declared the queue: nobody would answer its heartbeats.
            del self.connection

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Publish from the one thread that does; raise `ConnectionClosed` unless it is confirmed within `PATIENCE`."""
        with self._lock:
            if self._publisher is None or not self._publisher.is_alive():
                self._publisher = _Publisher(self)
                self._publisher.start()
            publisher = self._publisher
        return publisher.publish(partial(super().enqueue, message, delay=delay))

    def close(self) -> None:
        """Close what is published on; the consumers close their own. The stock way closes other threads' connections."""
        with self._lock:
            publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.stop()


class _Publisher(threading.Thread):
    """Publishes for all threads of the process, and answers RabbitMQ's heartbeats in between."""

    def __init__(self, broker: RabbitBroker) -> None:
        super().__init__(name="rabbitmq", daemon=True)
        self._broker = broker
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Message[Any]], Future[Message[Any]]] | None]
        self._jobs = queue.SimpleQueue()

    def publish(self, send: Callable[[], Message[Any]]) -> Message[Any]:
        """Have `send` called here; wait at most `PATIENCE`."""
        future: Future[Message[Any]] = Future()
        self._jobs.put((send, future))
        try:
            return future.result(PATIENCE)
        except TimeoutError:
            future.cancel()
            message = f"RabbitMQ did not confirm within {PATIENCE:g} s"
            raise ConnectionClosed(message) from None

    def stop(self) -> None:
        """Close the connection and end. If RabbitMQ does not answer, both end with the process."""
        self._jobs.put(None)
        self.join(PATIENCE)

    def run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=IDLE)
            except queue.Empty:
                self._answer_heartbeats()
                continue
            if job is None:
                break
            _do(*job)
        del self._broker.connection

    def _answer_heartbeats(self) -> None:
        connection = getattr(self._broker.state, "connection", None)
        try:
            if connection is not None:
                connection.process_data_events()
        except AMQPError:
            # RabbitMQ has gone; the next message opens another.
            del self._broker.connection


def _do(send: Callable[[], Message[Any]], future: Future[Message[Any]]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(send())
    except Exception as e:  # noqa: BLE001 - handed to whoever waits for the result
        future.set_exception(e)


class _RabbitConsumer(_RabbitmqConsumer):
    """Waits no longer than until a delayed message falls due: the worker looks for those after each wait."""

    def __init__(self, broker: RabbitBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._longest = timeout / 1000
        self._due = DueTimes()

    def __next__(self) -> MessageProxy | None:
        # Not another consumer: asked again, pika goes on with the one it has, and with this wait.
        self.iterator = self.channel.consume(self.queue_name, inactivity_timeout=self._due.wait(self._longest))
        message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
        if message is not None:
            self._due.note(message)
        return message

    def ack(self, message: MessageProxy) -> None:
        self._let_go(super().ack, message)

    def nack(self, message: MessageProxy) -> None:
        self._let_go(super().nack, message)

    def close(self) -> None:
        """Send what is acknowledged, and close; a RabbitMQ that does not answer would hold the worker for minutes."""
        thread = threading.Thread(target=self._close, name="rabbitmq-close", daemon=True)
        thread.start()
        thread.join(FAREWELL)

    def _close(self) -> None:
        # Lost already, otherwise.
        with suppress(ConnectionClosed):
            super().close()  # type: ignore[no-untyped-call]

    def _let_go(self, how: Any, message: MessageProxy) -> None:
        """Tell RabbitMQ that a message is done; if it cannot be told, it delivers it again, which is harmless."""
        try:
            how(message)
        except ConnectionClosed as e:
            # Raised, it would hold the worker's thread for seconds.
            logger.warning("wake-up not acknowledged queue=%s error=%s", self.queue_name, type(e).__name__)


def with_defaults(url: str) -> str:
    """Return the URL with every parameter of `CONNECTION` that it does not have."""
    given = parse_qs(urlsplit(url).query)
    missing = urlencode({name: value for name, value in CONNECTION.items() if name not in given})
    return f"{url}{'&' if '?' in url else '?'}{missing}" if missing else url
