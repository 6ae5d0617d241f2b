"""
Live messages: "this recipient's inbox has changed", for the browsers that are open now.

A message carries a recipient and the id of a notification, never its words: whoever streams loads the row, so nothing
can be read on the way. With `REALTIME_URL` one background thread publishes to Redis, one channel per recipient;
without, the subscribers in this process are called. A message that is lost is harmless: browsers also poll.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications import conf, signals
from notifications.background import BackgroundSender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Subscriber = Callable[[str, UUID | None], None]

#: Messages waiting to be published; more are dropped.
CAPACITY = 10_000
#: Messages that go to Redis in one round trip.
PIPELINE = 500
#: Seconds the sender rests after a batch, so that a stream of messages goes in few round trips.
REST = 0.01
#: Up to so many are published unasked; of more, it is asked first whether anybody listens.
FEW = 20
#: Seconds Redis may take to answer the background thread.
SOCKET_TIMEOUT = 1.0
#: The sender waits this long after a failure before it tries Redis again.
PAUSE_AFTER_FAILURE = 1.0

#: Those in this process who hear what is published while there is no Redis: replaced, never changed, so that
#: publishing needs no lock.
_subscribers: tuple[Subscriber, ...] = ()


def publish(recipient_id: Any, notification_id: UUID | None) -> None:
    """
    Say that a notification of this recipient is new or has changed (None: many), from any thread, without waiting.

    To be called after commit, because whoever hears it reads the row. Never raises.
    """
    publish_all([(recipient_id, notification_id)])


def publish_all(changes: Iterable[tuple[Any, UUID | None]]) -> None:
    """Publish many: (recipient, notification) each."""
    said = [(str(recipient_id), notification_id) for recipient_id, notification_id in changes]
    if conf.current().realtime_url:
        _sender.add(*((message, None) for message in said))
        return
    for recipient, notification_id in said:
        for subscriber in _subscribers:
            subscriber(recipient, notification_id)


def subscribe(subscriber: Subscriber) -> None:
    """Have what is published in this process said to `subscriber`, in the publisher's thread; it must not raise."""
    global _subscribers  # noqa: PLW0603
    _subscribers = (*_subscribers, subscriber)


def unsubscribe(subscriber: Subscriber) -> None:
    """Say nothing more to `subscriber`."""
    global _subscribers  # noqa: PLW0603
    _subscribers = tuple(other for other in _subscribers if other != subscriber)


def is_failing() -> bool:
    """Tell whether the last live messages could not be sent to Redis."""
    return _sender.failing


def dropped() -> int:
    """Return how many live messages were dropped since the process began."""
    return _sender.dropped


def channel_prefix(database: int | str) -> str:
    """Return what the channels of this installation begin with: channels are common to all databases of a Redis."""
    return f"notifications.live.{database}."


def encode(notification_id: UUID | None) -> str:
    """Return the message for a notification; None: refresh everything."""
    return "" if notification_id is None else notification_id.hex


def decode(message: bytes) -> UUID | None:
    """Return the notification a message is about; None: refresh everything, which is also right for what is no id."""
    try:
        return UUID(message.decode())
    except ValueError:
        return None


class _Sender(BackgroundSender[tuple[str, UUID | None], None]):
    """(recipient, notification) → nothing more to say."""

    def __init__(self) -> None:
        super().__init__(name="live-messages", capacity=CAPACITY, pause=PAUSE_AFTER_FAILURE, rest=REST)

    def send_all(self, batch: dict[tuple[str, UUID | None], None]) -> None:
        client = _client(conf.current().realtime_url)
        prefix = channel_prefix(client.connection_pool.connection_kwargs.get("db", 0))
        keys = list(batch)
        for start in range(0, len(keys), PIPELINE):
            some = keys[start : start + PIPELINE]
            heard = _heard(client, prefix, some) if len(some) > FEW else some
            if heard:
                pipeline = client.pipeline(transaction=False)
                for recipient, notification_id in heard:
                    pipeline.publish(prefix + recipient, encode(notification_id))
                pipeline.execute()
            for key in some:
                del batch[key]

    def tell(self, batch: dict[tuple[str, UUID | None], None], error: Exception) -> None:
        signals.live_message_dropped.send(_Sender, error=error, dropped=self.dropped)


def _heard(client: redis.Redis, prefix: str, keys: list[tuple[str, UUID | None]]) -> list[tuple[str, UUID | None]]:
    """
    Return those whose recipients somebody listens for: of a broadcast, hardly anybody has a page open.

    Whoever begins to listen after the question reads the list after that, and finds the committed row in it.
    """
    channels = list(dict.fromkeys(prefix + recipient for recipient, _ in keys))
    listeners: list[tuple[bytes, int]] = client.pubsub_numsub(*channels)  # type: ignore[assignment]
    listened = {channel.decode() for channel, number in listeners if number}
    return [key for key in keys if prefix + key[0] in listened]


@lru_cache(maxsize=1)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        # The pause is between batches; a retry here would only hold back what comes after.
        retry=Retry(NoBackoff(), 0),
    )


_sender = _Sender()
