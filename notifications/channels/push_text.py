"""What a device is told, cut to the size that push services take."""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifications.values import Message

#: Bytes of a title and of a link. Longer titles are cut; a longer link is left out, since half of one leads nowhere.
MAX_TITLE, MAX_LINK = 512, 1536
#: Bytes of plain text that fit into the 4096 that every push service takes, once encrypted (RFC 8291 §4).
MAX_PLAIN = 3993
ELLIPSIS = "…"
_ZERO_WIDTH_JOINER = "\u200d"


def tag(message: Message) -> str:
    """Return what is the same on every try: a device shows the last message of a tag alone. 32 letters and digits."""
    return (message.notification_id or message.delivery_id).hex


def fitted(message: Message, size: int) -> dict[str, str]:
    """Return title, body, link, tag and the inbox item's id, whose JSON (`as_json`) has at most `size` bytes."""
    told = {
        "title": cut(message.rendered.title, MAX_TITLE),
        "body": "",
        "url": message.action.url if _size(message.action.url) <= MAX_LINK else "",
        "tag": tag(message),
        "id": str(message.notification_id or ""),
    }
    return told | {"body": cut(message.rendered.body, size - len(as_json(told)))}


def as_json(told: dict[str, str]) -> bytes:
    """Return it as it is sent."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def cut(text: str, size: int) -> str:
    """Return as much of a text as fits into `size` bytes of JSON, with an ellipsis if that is not all, whole letters only."""
    if _size(text) <= size:
        return text
    fitting = bisect_right(range(len(text)), size, key=lambda length: _size(text[:length] + ELLIPSIS)) - 1
    return _whole(text, max(fitting, 0)) + ELLIPSIS


def _whole(text: str, length: int) -> str:
    """Return the beginning of a text, without a letter whose accents, or a picture whose parts, would be cut off."""
    while length and (_continues(text[length]) or text[length - 1] == _ZERO_WIDTH_JOINER):
        length -= 1
    return text[:length].rstrip()


def _continues(character: str) -> bool:
    is_mark = unicodedata.category(character) in {"Mn", "Me", "Mc"}
    # Also the colours of skin, which belong to what is before them.
    return is_mark or character == _ZERO_WIDTH_JOINER or "\U0001f3fb" <= character <= "\U0001f3ff"


def _size(text: str) -> int:
    """Return how many bytes a text takes within JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2
