"""What every channel adapter is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from notifications.exceptions import DeliveryError
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifications.values import Message


class ChannelAdapter(ABC):
    """A way out. Knows its provider and nothing of our tables."""

    #: How many messages does one `send_batch` take?
    batch_size: ClassVar[int] = 1
    #: Must a crash inside the provider call never become a second message?
    at_most_once: ClassVar[bool] = False
    #: Does one provider call carry the whole batch? Then the rate counts all of it at once.
    sends_together: ClassVar[bool] = False
    #: How long may one message take? Leases are at least four times that.
    send_timeout: timedelta = timedelta(seconds=15)
    #: Does one provider answer for all messages? Otherwise the failures of one address say nothing of the others, and
    #: pause nothing: only what is wrong with our own set-up does.
    one_provider: ClassVar[bool] = True
    #: Is there nobody to send to without an address?
    needs_address: ClassVar[bool] = True
    #: How many characters of body does it take? A longer one is a PermanentError, and nobody is called.
    max_length: ClassVar[int | None] = None

    def __repr__(self) -> str:
        # Without its options: they may be secrets.
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        """The backend's name in the log."""
        return type(self).__name__

    def check(self) -> list[str]:
        """Return what is wrong with its options, in words, for the system checks; ask nobody else."""
        return []

    def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of connections. The next `send_batch` opens what it needs."""

    @abstractmethod
    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        """
        Send; yield one receipt or one `DeliveryError` per message, in order, each as soon as it is known.

        What is raised instead of yielded is a bug of the adapter; the message is tried again.
        """


class OneByOne(ChannelAdapter):
    """An adapter whose provider takes one message at a time."""

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        for message in messages:
            try:
                provider_message_id = self.send_one(message)
            except DeliveryError as e:
                yield e
            else:
                yield Receipt(backend=self.name, provider_message_id=provider_message_id)

    @abstractmethod
    def send_one(self, message: Message) -> str:
        """Send; return the provider's id of the message, or nothing if it tells none. Raise a `DeliveryError`."""
