"""The stand-in for every provider: it keeps what it is given, and fails when it is told to."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

from notifications import clock, conf, registry
from notifications.channels.base import ChannelAdapter
from notifications.models import Delivery, Notification
from notifications.types import Channel
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from notifications.exceptions import DeliveryError
    from notifications.values import Adapter, Message

#: What the pipeline asks of an adapter before it decides how to use it.
TRAITS = ("batch_size", "at_most_once", "sends_together")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What somebody got."""

    #: The user; None: an address without one.
    recipient: Any
    channel: str
    #: Empty in the app.
    address: str
    title: str
    body: str
    #: A whole document; empty on channels without.
    html: str
    #: Aware, in the zone of the timeline.
    at: datetime
    #: Empty: of no template.
    template: str


class Record:
    """What was sent since it was made, and how the next tries are to end."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._sent: list[Sent] = []
        self._failures: defaultdict[str, deque[DeliveryError | type[DeliveryError]]] = defaultdict(deque)
        self._listed_before = set(Notification.objects.values_list("pk", flat=True))

    def sent(self) -> list[Sent]:
        """Return everything that was sent, in order; at the same instant the inbox comes first."""
        listed = Notification.objects.filter(listed_at__isnull=False).select_related("recipient").order_by("pk")
        in_app = [self._in_app(row) for row in listed if row.pk not in self._listed_before]
        return sorted(in_app + self._sent, key=lambda sent: sent.at)

    def fail(self, channel: str, error: DeliveryError | type[DeliveryError], times: int) -> None:
        """Let the next `times` tries of a channel end with `error`."""
        if channel not in conf.channels():
            raise registry.unknown_channel(channel)
        self._failures[channel].extend([error] * times)

    def adapter(self, channel: str, number: int = 0) -> Adapter:
        """Return the stand-in for the adapter of a channel: of its name and its traits."""
        if channel not in conf.channels():
            raise registry.unknown_channel(channel)
        declared = conf.backends(channel)[number]
        backend = import_string(declared.path)
        # A class is not made: in tests nobody has a provider's credentials.
        real = backend if isinstance(backend, type) else type(backend(**declared.options))
        stand_in = type(real.__name__, (_StandIn,), {name: getattr(real, name) for name in TRAITS})
        adapter: Adapter = stand_in(self)
        return adapter

    def take(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        """Keep messages, or fail as told."""
        rows = Delivery.objects.select_related("recipient").in_bulk([message.delivery_id for message in messages])
        for message in messages:
            failures = self._failures[message.channel]
            if failures:
                error = failures.popleft()
                yield error() if isinstance(error, type) else error
                continue
            self._keep(message, rows[message.delivery_id])
            yield Receipt(backend="notifications.testing", provider_message_id=message.delivery_id.hex)

    def _keep(self, message: Message, row: Delivery) -> None:
        sent = Sent(
            recipient=row.recipient,
            channel=message.channel,
            address=message.address,
            title=message.rendered.title,
            body=message.rendered.body,
            html=message.rendered.html,
            at=clock.now().astimezone(self._zone),
            template=row.template_id or "",
        )
        self._sent.append(sent)

    def _in_app(self, row: Notification) -> Sent:
        assert row.listed_at is not None
        return Sent(
            recipient=row.recipient,
            channel=Channel.IN_APP.value,
            address="",
            title=row.title,
            body=row.body,
            html="",
            at=row.listed_at.astimezone(self._zone),
            template=row.template_id,
        )


class _StandIn(ChannelAdapter):
    """Hands everything to the record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        return self._record.take(messages)
