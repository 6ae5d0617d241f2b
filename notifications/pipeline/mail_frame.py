"""PURE: the frame of every e-mail. Filled in once per language and look, then only joined with each message's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from css_inline import CSSInliner
from django.core.signals import setting_changed
from django.template.loader import get_template

from notifications.values import Look

TEMPLATE = "notifications/email/base.html"

# No stylesheet is loaded from anywhere: what staff write must not make the worker ask other hosts, or read files.
_inliner = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True, keep_at_rules=True)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
#: Rules such as @media, which cannot stand on an element: reading them takes as long as all the others.
_AT_RULE = re.compile(r"@[^{};]*(?:;|\{(?:[^{}]|\{[^{}]*\})*\})")
#: Around the words while the frame's styles are put on them; no wording has such an element, so none can close it.
_OPEN, _CLOSE = '<x-words class="content">', "</x-words>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What of an e-mail differs from message to message. Only `fragment` is HTML."""

    title: str
    preview: str
    fragment: str
    button_url: str = ""
    button_text: str = ""
    #: Is the fragment what `linebreaks` makes of a text?
    is_plain: bool = False


#: What stands in the frame for each of the words, unchanged by escaping and inlining.
_MARKS = {
    name: f"words{number}of7c1e9a4b"
    for number, name in enumerate(name for name in Words.__dataclass_fields__ if name != "is_plain")
}
_ANY_MARK = re.compile(r"words(\d)of7c1e9a4b")
_NAMES = tuple(_MARKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The finished frame, cut at the marks."""

    #: Text, name, text, name, … text.
    parts: tuple[str, ...]
    css: str
    #: The beginning of a paragraph, with its style.
    paragraph: str

    def around(self, words: Words) -> str:
        values = {name: escape(getattr(words, name)) for name in _NAMES}
        if words.is_plain:
            # Nothing but paragraphs and line breaks: their style need not be looked for in each message anew.
            values["fragment"] = words.fragment.replace("<p>", self.paragraph)
        else:
            values["fragment"] = _styled(words.fragment, self.css)
        return "".join(values[part] if at % 2 else part for at, part in enumerate(self.parts))


def framed(
    words: Words, *, look: Look, base_url: str, site_name: str, language: str, direction: str, active: str
) -> str:
    """Return the whole document: the words in the frame of the active language, with all styles on the elements."""
    there = tuple([bool(getattr(words, name)) for name in _NAMES])
    return _frame(there, look, base_url, site_name, language, direction, active).around(words)


@lru_cache(maxsize=256)
def _frame(
    there: tuple[bool, ...],
    look: Look,
    base_url: str,
    site_name: str,
    language: str,
    direction: str,
    active: str,
) -> _Frame:
    context: dict[str, Any] = {
        name: mark if shown else "" for (name, mark), shown in zip(_MARKS.items(), there, strict=True)
    }
    context |= {"brand_color": look.brand_color, "logo_url": look.logo_url, "footer": look.footer}
    context |= {"base_url": base_url, "site_name": site_name, "language": language, "direction": direction}
    html = get_template(TEMPLATE).render(context)
    parts = _ANY_MARK.split(_inliner.inline(html))
    named = (_NAMES[int(part)] if at % 2 else part for at, part in enumerate(parts))
    css = _AT_RULE.sub("", "\n".join(_STYLE.findall(html)))
    return _Frame(parts=tuple(named), css=css, paragraph=_styled("<p></p>", css).removesuffix("</p>"))


def _styled(fragment: str, css: str) -> str:
    html = _inliner.inline_fragment(f"{_OPEN}{fragment}{_CLOSE}", css)
    return html[html.index(">") + 1 : html.rindex(_CLOSE)]


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "TEMPLATES":
        _frame.cache_clear()


setting_changed.connect(_forget)
