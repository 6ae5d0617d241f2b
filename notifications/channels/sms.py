"""Text messages: what all providers have in common, and the console. The providers are in `twilio` and `sms_http`."""

from __future__ import annotations

import sys
from abc import abstractmethod
from typing import TYPE_CHECKING

from notifications.channels import segments
from notifications.channels.base import ChannelAdapter, OneByOne
from notifications.channels.http import Http
from notifications.channels.phone import e164
from notifications.exceptions import PermanentError
from notifications.types import Reason
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifications.values import Message

#: Parts of a message, each of which is paid for.
MAX_SEGMENTS = 6


class SmsChannel(OneByOne):
    """
    A provider of text messages, asked by HTTP, once for each message.

    `max_segments`: a longer message fails before anybody is asked. `region`: country of numbers without `+`.
    """

    #: No provider promises to drop a repetition, and each is paid for.
    at_most_once = True

    def __init__(self, *, max_segments: int = MAX_SEGMENTS, region: str = "") -> None:
        self._max_segments = max_segments
        self._region = region
        self._http = Http(timeout=self.send_timeout)

    def send_one(self, message: Message) -> str:
        return self.send(e164(message.address, self._region), self._text(message), message)

    @abstractmethod
    def send(self, number: str, text: str, message: Message) -> str:
        """Send a text to a number in E.164; return the provider's id of it, or nothing if it tells none."""

    def close(self) -> None:
        self._http.close()

    def _text(self, message: Message) -> str:
        text = message.rendered.body
        number = len(segments.split(text))
        if number > self._max_segments:
            what = f"The text message has {number} segments, more than {self._max_segments}."
            raise PermanentError(what, code="too_many_segments", reason=Reason.TOO_LONG)
        if not text.strip():
            what = "The text message is empty."
            raise PermanentError(what, code="empty")
        return text


class ConsoleSms(ChannelAdapter):
    """Print text messages to standard output, for development."""

    at_most_once = True

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        for message in messages:
            sys.stdout.write(f"SMS to {message.address}: {message.rendered.body}\n")
            sys.stdout.flush()
            yield Receipt(backend=self.name, provider_message_id=message.delivery_id.hex)
