"""Discord's webhooks (discord.com/developers/docs, "Execute Webhook" and "Rate Limits", read in November 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifications import clock
from notifications.channels import endpoint, http
from notifications.channels.retry_after import parse
from notifications.channels.texts import joined, with_links
from notifications.exceptions import DeliveryError, PermanentError, ThrottledError
from notifications.types import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifications.channels.http import Response
    from notifications.values import Message

HOSTS = ("discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com")
#: Of an embed, whose text may have 4096; the rest is for the blank line before the link.
MAX_TITLE, MAX_BODY, MAX_LABEL = 256, 4000, 200
#: Unknown webhook; invalid webhook token.
_GONE = frozenset({"10015", "50027"})
#: What Markdown and mentions are made of.
_SPECIAL = frozenset("\\`*_{}[]()#+-.!|~<>:@&")


def is_host(host: str) -> bool:
    return host in HOSTS


def document(message: Message) -> dict[str, Any]:
    link = _link(message)
    body = escaped(message.rendered.body, MAX_BODY - len(link))
    embed = {"description": "\n\n".join(part for part in (body, link) if part)}
    if message.rendered.title:
        embed["title"] = escaped(message.rendered.title, MAX_TITLE)
    # Whatever the text says: nobody is called.
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def escaped(text: str, limit: int) -> str:
    """Return text as Markdown that says what it says, and in which links are links."""
    return joined(_pieces(text), limit)


def _pieces(text: str) -> Iterator[str]:
    for part, is_link in with_links(text):
        if is_link:
            yield part
        else:
            yield from (f"\\{character}" if character in _SPECIAL else character for character in part)


def _link(message: Message) -> str:
    """Return the button as a link: a webhook of Discord has no buttons."""
    url = endpoint.action_url(message)
    if not url or not message.action.text:
        return url
    # Within <>, a link ends at the > alone.
    return f"[{escaped(message.action.text, MAX_LABEL)}](<{url.replace('<', '%3C').replace('>', '%3E')}>)"


def error_of(answer: Response) -> DeliveryError:
    code = answer.word("code")
    if code in _GONE:
        what = f"Discord answered {answer.status}, code {code}."
        return PermanentError(what, code=code, reason=Reason.ENDPOINT_GONE, suppress=True)
    error = http.error_of(answer.status, code, "Discord", answer.headers, is_endpoint=True)
    if isinstance(error, ThrottledError):
        # More exact than the header: in seconds and parts of them.
        told = answer.json()
        wait = parse(str(told.get("retry_after", "")), clock.now()) if isinstance(told, dict) else None
        error.retry_after = wait or error.retry_after
    return error
