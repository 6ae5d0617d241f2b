"""Slack's incoming webhooks (docs.slack.dev, "Sending messages using incoming webhooks", read in November 2026)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from notifications.channels import endpoint, http
from notifications.channels.texts import joined, shortened, with_links
from notifications.exceptions import DeliveryError, PermanentError
from notifications.types import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifications.channels.http import Response
    from notifications.values import Message

HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
#: Block Kit: header, section and button; what the fallback may be is far more than can be shown.
MAX_TITLE, MAX_BODY, MAX_BUTTON, MAX_URL = 150, 3000, 75, 3000
_WORD = re.compile("[a-z_]{1,40}")
#: Slack says in one word what is wrong; these say that the webhook is no more.
_GONE = frozenset(
    {"no_service", "no_service_id", "no_team", "team_disabled", "channel_not_found", "channel_is_archived"}
)
_REVOKED = frozenset({"invalid_token", "no_active_hooks"})
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def is_host(host: str) -> bool:
    return host in HOSTS


def document(message: Message) -> dict[str, Any]:
    title, body = message.rendered.title, message.rendered.body
    blocks: list[dict[str, Any]] = []
    if title:
        # In plain text, Slack reads nothing into it.
        plain = {"type": "plain_text", "text": shortened(title, MAX_TITLE), "emoji": False}
        blocks.append({"type": "header", "text": plain})
    text = escaped(body, MAX_BODY)
    if text:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}})
    url = endpoint.action_url(message)
    if url and len(url) <= MAX_URL:
        label = {"type": "plain_text", "text": shortened(message.action.text or url, MAX_BUTTON), "emoji": False}
        blocks.append({"type": "actions", "elements": [{"type": "button", "text": label, "url": url}]})
    return {"text": escaped(title or body, MAX_TITLE), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escaped(text: str, limit: int) -> str:
    """
    Return text as mrkdwn in which nobody is called and links are links: <!channel> and <@U1> say what they say.

    Slack's own rule: &, < and > and no others. There is no escape for *, _ and ~.
    """
    return joined(_pieces(text), limit)


def _pieces(text: str) -> Iterator[str]:
    for part, is_link in with_links(text):
        safe = [_ESCAPES.get(character, character) for character in part]
        if is_link:
            yield f"<{''.join(safe)}>"
        else:
            yield from safe


def error_of(answer: Response) -> DeliveryError:
    body = answer.body.decode(errors="replace").strip()
    word = body if _WORD.fullmatch(body) else ""
    if word in _GONE or word in _REVOKED:
        what = f"Slack answered {answer.status}, code {word}."
        return PermanentError(what, code=word, reason=Reason.ENDPOINT_GONE, suppress=True)
    return http.error_of(answer.status, word, "Slack", answer.headers, is_endpoint=True)
