"""Text messages. Real providers come as further classes; this one writes to the console."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from notifications.channels.base import ChannelAdapter
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifications.values import Message


class ConsoleSms(ChannelAdapter):
    """Print text messages to standard output, for development."""

    at_most_once = True

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        for message in messages:
            sys.stdout.write(f"SMS to {message.address}: {message.rendered.body}\n")
            sys.stdout.flush()
            yield Receipt(backend=self.name, provider_message_id=message.delivery_id.hex)
