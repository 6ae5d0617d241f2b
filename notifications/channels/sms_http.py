"""Text messages by any provider that takes a JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from notifications.channels.http import error_of, safe_code
from notifications.channels.sms import MAX_SEGMENTS, SmsChannel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifications.channels.http import Response
    from notifications.values import Message

#: What may stand for what in the texts of `body`. `id` is that of the delivery: the same on every try.
PLACEHOLDERS = ("{to}", "{text}", "{id}")


class HttpSms(SmsChannel):
    """
    POST a JSON document for each message.

    `body`: the document; in its texts {to}, {text} and {id} are filled in. `id_path`, `code_path`: where the answer has
    the id of the message, and of an error its code, such as messages.0.id.
    """

    def __init__(
        self,
        *,
        url: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        id_path: str = "id",
        code_path: str = "code",
        max_segments: int = MAX_SEGMENTS,
        region: str = "",
    ) -> None:
        super().__init__(max_segments=max_segments, region=region)
        self._url, self._body = url, body
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._id_path, self._code_path = id_path, code_path

    def check(self) -> list[str]:
        wrong = [] if urlsplit(self._url).scheme in {"http", "https"} else ["url is no URL"]
        written = json.dumps(self._body)
        return wrong + [f"body has no {needed}" for needed in ("{to}", "{text}") if needed not in written]

    def send(self, number: str, text: str, message: Message) -> str:
        values = dict(zip(PLACEHOLDERS, (number, text, message.delivery_id.hex), strict=True))
        content = json.dumps(_filled(self._body, values)).encode()
        answer = self._http.request("POST", self._url, headers=self._headers, content=content)
        if not answer.is_success:
            raise error_of(answer.status, _at(answer, self._code_path), "The SMS provider", answer.headers)
        # Accepted, whatever the answer looks like: sent again, it would be a second message.
        return _at(answer, self._id_path)


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a JSON value with the placeholders in its texts filled in, each once: a text may hold another's name."""
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, values) for item in value]
    return _fill(value, values) if isinstance(value, str) else value


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        before, found, after = text.partition(name)
        if found:
            return f"{_fill(before, values)}{value}{_fill(after, values)}"
    return text


def _at(answer: Response, path: str) -> str:
    """Return the id or code at a path of the answer; nothing if there is none."""
    value = answer.json()
    for part in path.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return safe_code(value)
