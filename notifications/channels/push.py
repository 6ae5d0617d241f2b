"""Push to browsers and to apps: each message goes the way of what the person registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifications.channels.base import ChannelAdapter
from notifications.channels.fcm import FcmChannel
from notifications.channels.web_push import WebPushChannel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from notifications.values import Message, Receipt


class PushChannel(ChannelAdapter):
    """
    Two adapters as one, since neither can stand in for the other.

    `browsers`: the options of `WebPushChannel`; `apps`: those of `FcmChannel`.
    """

    batch_size = 50
    one_provider = False

    def __init__(self, *, browsers: Mapping[str, Any], apps: Mapping[str, Any]) -> None:
        self._browsers = WebPushChannel(**browsers)
        self._apps = FcmChannel(**apps)

    @property
    def public_key(self) -> str:
        """What a browser needs to subscribe."""
        return self._browsers.public_key

    def check(self) -> list[str]:
        browsers = [f"browsers: {wrong}" for wrong in self._browsers.check()]
        return browsers + [f"apps: {wrong}" for wrong in self._apps.check()]

    def close(self) -> None:
        self._browsers.close()
        self._apps.close()

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        for message in messages:
            is_app = "token" in (message.endpoint or {})
            yield from (self._apps if is_app else self._browsers).send_batch([message])
