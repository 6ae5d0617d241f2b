"""
Microsoft Teams, by a workflow that waits for a webhook ("Send webhook alerts to a channel"), read in November 2026.

The workflow posts the adaptive card it is given. The connectors of Office 365, which looked alike, are no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifications.channels import endpoint, http
from notifications.channels.texts import shortened

if TYPE_CHECKING:
    from notifications.channels.http import Response
    from notifications.exceptions import DeliveryError
    from notifications.values import Message

SUFFIXES = (".logic.azure.com", ".api.powerplatform.com")
#: A message has at most 28 KB: 2000 characters of six bytes each in JSON, and the lines around them.
MAX_TITLE, MAX_BODY, MAX_LINES, MAX_BUTTON = 200, 2000, 40, 80


def is_host(host: str) -> bool:
    return host.endswith(SUFFIXES)


def document(message: Message) -> dict[str, Any]:
    lines = [line for line in shortened(message.rendered.body, MAX_BODY).split("\n") if line.strip()]
    body = [_line(line) for line in [*lines[:MAX_LINES], *(["…"] if len(lines) > MAX_LINES else [])]]
    if message.rendered.title:
        body.insert(0, _line(shortened(message.rendered.title, MAX_TITLE), size="Medium", weight="Bolder"))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    url = endpoint.action_url(message)
    if url:
        label = shortened(message.action.text or url, MAX_BUTTON)
        card["actions"] = [{"type": "Action.OpenUrl", "title": label, "url": url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def error_of(answer: Response) -> DeliveryError:
    told = answer.json()
    inner = told.get("error") if isinstance(told, dict) else None
    code = http.safe_code(inner.get("code")) if isinstance(inner, dict) else ""
    return http.error_of(answer.status, code, "Teams", answer.headers, is_endpoint=True)


def _line(text: str, **style: str) -> dict[str, Any]:
    """Return a line in which nothing is Markdown, as it would be in a TextBlock, and no <at> is a mention."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
