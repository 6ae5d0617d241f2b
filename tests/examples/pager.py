"""Texts to pagers, by the HTTP API of a paging service."""

from __future__ import annotations

import json
from collections.abc import Iterator

from notifications.channels.base import ChannelAdapter
from notifications.channels.http import Http, error_of
from notifications.exceptions import DeliveryError, PermanentError
from notifications.types import Reason
from notifications.values import Message, Receipt


class PagerChannel(ChannelAdapter):
    """`url`: where the service listens; `token`: what it knows us by."""

    at_most_once = True  # nobody is to be woken twice
    max_length = 200

    def __init__(self, *, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._http = Http(timeout=self.send_timeout)

    def check(self) -> list[str]:
        return [] if self._url.startswith(("http://", "https://")) else ["url is no URL"]

    def close(self) -> None:
        self._http.close()

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        for message in messages:
            try:
                receipt = Receipt(backend=self.name, provider_message_id=self._send(message))
            except DeliveryError as e:
                yield e
            else:
                yield receipt

    def _send(self, message: Message) -> str:
        if not message.address:
            raise PermanentError("There is no pager.", code="no_address", reason=Reason.NO_ADDRESS)
        if len(message.rendered.body) > self.max_length:
            raise PermanentError("The text is too long.", code="too_long", reason=Reason.TOO_LONG)
        page = {"id": message.delivery_id.hex, "to": message.address, "text": message.rendered.body}
        answer = self._http.request("POST", self._url, headers=self._headers, content=json.dumps(page).encode())
        if answer.status == 410:
            raise PermanentError("The pager is gone.", code="410", reason=Reason.ENDPOINT_GONE, suppress=True)
        if not answer.is_success:
            raise error_of(answer.status, answer.word("code"), "The paging service", answer.headers)
        return answer.word("id")
