"""Adapters that do as they are told."""

from __future__ import annotations

from notifications.channels.base import ChannelAdapter
from notifications.values import Receipt

_in_use: list[ChannelAdapter] = []


def in_use():
    """Stand as BACKEND in the settings for the adapter a test chose."""
    return _in_use[-1]


def use(adapter):
    """Make `in_use` return this adapter."""
    _in_use.append(adapter)
    return adapter


#: The adapters of one channel, in order.
numbers: list[ChannelAdapter] = []


def numbered(*, number):
    """Stand as BACKEND in the settings for one of several adapters a test chose."""
    return numbers[number]


class Scripted(ChannelAdapter):
    """Ends each try as it was told to; an exception that is not a DeliveryError is raised, as by a bug."""

    def __init__(self, *results):
        self.results = list(results)
        self.messages: list = []
        self.batches: list = []

    def send_batch(self, messages):
        self.batches.append(len(messages))
        for message in messages:
            self.messages.append(message)
            result = self.results.pop(0) if self.results else Receipt(backend="x", provider_message_id="p-1")
            if isinstance(result, ZeroDivisionError):
                raise result
            yield result


class Once(Scripted):
    at_most_once = True


class Board(Scripted):
    """Hangs it up where everybody comes by."""

    needs_address = False


class Secretive(ChannelAdapter):
    """Says too much of what it does not like."""

    def __init__(self, *, token):
        raise ValueError(f"{token} is no token")

    def send_batch(self, messages):
        raise NotImplementedError


class Mute(ChannelAdapter):
    """Gives no result at all."""

    def send_batch(self, messages):
        yield from ()
