"""PURE: how a reader gets out of what they are told, below the words of an e-mail. The caller activates their language."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from notifications.values import Rendered

if TYPE_CHECKING:
    from notifications.values import WaysOut

#: Where the frame of e-mails has them. Put in last: the rest of an e-mail may be the same for many readers.
PLACE = "<!--ways-out-->"
_STYLE = "color:#6b7280; text-decoration:underline;"


@lru_cache(maxsize=100)
def _labels(language: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return what the links are called in this language, which is active: as text and as HTML."""
    unsubscribe, preferences = gettext("Unsubscribe"), gettext("Your preferences")
    return (unsubscribe, escape(unsubscribe)), (preferences, escape(preferences))


def added(rendered: Rendered, ways_out: WaysOut, *, language: str) -> Rendered:
    """
    Return an e-mail with the links below its text (as signatures are, RFC 3676 §4.3) and its HTML.

    `language` is the active one: asking for it takes longer than all of this.
    """
    lines, links = "", []
    urls = (ways_out.unsubscribe_url, ways_out.preferences_url)
    for (label, html), url in zip(_labels(language), urls, strict=True):
        if url:
            lines += f"\n{label}: {url}"
            links.append(f'<a href="{escape(url)}" style="{_STYLE}">{html}</a>')
    if not links:
        return rendered
    html = rendered.html.replace(PLACE, f"<br>{' · '.join(links)}", 1)
    return Rendered(title=rendered.title, body=f"{rendered.body}\n\n-- {lines}", html=html)
