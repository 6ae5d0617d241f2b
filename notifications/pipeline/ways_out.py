"""PURE: how a reader gets out of what they are told, below the words of an e-mail. The caller activates their language."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from django.utils.translation import get_language, gettext

if TYPE_CHECKING:
    from notifications.values import Rendered, WaysOut

#: Where the frame of e-mails has them. Put in last: the rest of an e-mail may be the same for many readers.
PLACE = "<!--ways-out-->"
_LINK = '<a href="{url}" style="color:#6b7280; text-decoration:underline;">{label}</a>'


@lru_cache(maxsize=100)
def _labels(language: str | None) -> tuple[str, str]:
    """Return what the links are called in the active language, which is this one."""
    return gettext("Unsubscribe"), gettext("Your preferences")


def added(rendered: Rendered, ways_out: WaysOut) -> Rendered:
    """Return an e-mail with the links below its text (as signatures are, RFC 3676 §4.3) and its HTML."""
    told = zip(_labels(get_language()), (ways_out.unsubscribe_url, ways_out.preferences_url), strict=True)
    links = [(label, url) for label, url in told if url]
    if not links:
        return rendered
    lines = "\n".join(f"{label}: {url}" for label, url in links)
    html = " · ".join(_LINK.format(url=escape(url), label=escape(label)) for label, url in links)
    return replace(
        rendered, body=f"{rendered.body}\n\n-- \n{lines}", html=rendered.html.replace(PLACE, f"<br>{html}", 1)
    )
