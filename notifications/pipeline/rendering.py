"""PURE: a content and its variables → what the reader sees. The caller activates language and time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings
from django.utils.translation import gettext

from notifications.exceptions import RenderError, TemplateRefused
from notifications.pipeline import mail_frame, plain_text
from notifications.pipeline.markup import CONTROLS
from notifications.pipeline.safe_tags import absolute_link
from notifications.pipeline.sandbox import compile_template
from notifications.registry import did_you_mean
from notifications.types import Channel
from notifications.values import Look, Rendered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from notifications.values import Action, Content

#: Every template may read these; a declared variable of the same name is hidden.
RESERVED = frozenset({"action_text", "action_url", "recipient_name", "site_name"})
MAX_TITLE = 200
MAX_PREVIEW = 120

_LINE_BREAK = re.compile("\r\n|[\r\x85\u2028\u2029]")
#: What becomes one space, unless it is one. Not the no-break spaces, which languages put inside numbers.
_SPACE = "\t-\r\x1c-\x1f\x85\u2028\u2029"
_SPACES = re.compile(f"[{_SPACE}][ {_SPACE}]*| [ {_SPACE}]+")
#: What changes how a title reads without being seen: direction overrides and marks, characters of no width.
_INVISIBLE = re.compile("[\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
#: Joiners are needed inside emoji and in Persian, never beside ASCII.
_STRAY_JOINER = re.compile("(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\u200c\u200d])")

#: Between two paragraphs, and within one.
_GAP, _BREAK = re.compile("\n{2,}"), "\n"

Field = Literal["title", "body", "html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something the editor of a content should mend (error) or look at (warning). `line` counts from 1."""

    field: Field
    message: str
    line: int | None
    severity: Literal["error", "warning"]


def render(
    content: Content,
    *,
    variables: Mapping[str, Any],
    recipient_name: str,
    action: Action,
    base_url: str,
    site_name: str,
    language: str,
    look: Look = Look(),  # noqa: B008 - frozen
) -> Rendered:
    """Fill in a content; raise `RenderError` naming the field and the cause. `language` is the active one."""
    url = _action_link(action, base_url)
    label = action.text or (gettext("View details") if url else "")
    reserved = {"recipient_name": recipient_name, "action_url": url, "action_text": label, "site_name": site_name}
    context = {**variables, **reserved}
    title = _clean_title(_fill(content, "title", context, base_url))
    body = _clean_body(_fill(content, "body", context, base_url))
    if content.channel != Channel.EMAIL:
        return Rendered(title=title, body=body)

    fragment = _fill(content, "html", context, base_url) if content.html.strip() else _paragraphs(body)
    # Some read only the text: where nobody wrote any, it is what the HTML says.
    source: Field = "body" if body or not content.html.strip() else "html"
    body = body or plain_text.text_of(fragment)
    button = {} if "action_url" in _names(content, "html") else {"button_url": url, "button_text": label}
    words = mail_frame.Words(
        title=title,
        preview=_preview(body),
        fragment=fragment,
        is_plain=not content.html.strip(),
        **button,
    )
    # That of the words, not of the reader, who may have got the fallback.
    written = content.locale or language
    html = mail_frame.framed(
        words, look=look, base_url=base_url, site_name=site_name, language=written, direction=_direction(written),
        active=language,
    )  # fmt: skip
    if url and "action_url" not in _names(content, source):
        body = f"{body}\n\n{label}: {url}".lstrip()
    return Rendered(title=title, body=body, html=html)


def names_used(content: Content) -> frozenset[str]:
    """Return the variables a content reads, reserved ones included; raise `RenderError` if it does not compile."""
    fields: tuple[Field, ...] = ("title", "body", "html") if content.channel == Channel.EMAIL else ("title", "body")
    return frozenset().union(*(_names(content, field) for field in fields))


def check_content(content: Content, declared: Collection[str]) -> list[Problem]:
    """Return what is wrong with a content whose template declares these variables, field by field."""
    known = RESERVED.union(declared)
    problems = []
    for field, source in _fields(content):
        try:
            lines = compile_template(source, html=field == "html").lines
        except TemplateRefused as e:
            problems.append(Problem(field=field, message=str(e), line=e.line, severity="error"))
            continue
        for name in sorted(lines.keys() - known):
            message = f"The template declares no variable {name!r}{did_you_mean(name, known)}."
            problems.append(Problem(field=field, message=message, line=lines[name], severity="error"))
    return problems + list(_warnings(content))


def _warnings(content: Content) -> Iterator[Problem]:
    is_email = content.channel == Channel.EMAIL
    if is_email and not content.title.strip():
        yield _warning("title", "The e-mail has no subject; write one.")
    if not content.body.strip():
        yield _warning("body", "There is no text; some readers will see nothing.")
    if content.html.strip() and not is_email:
        yield _warning("html", "HTML is for e-mails; this channel does not use it.")


def _warning(field: Field, message: str) -> Problem:
    return Problem(field=field, message=message, line=None, severity="warning")


def _fields(content: Content) -> tuple[tuple[Field, str], ...]:
    return ("title", content.title), ("body", content.body), ("html", content.html)


def _fill(content: Content, field: Field, context: Mapping[str, Any], base_url: str) -> str:
    source: str = getattr(content, field)
    try:
        return compile_template(source, html=field == "html").render(context, base_url=base_url)
    except TemplateRefused as e:
        where = f", line {e.line}" if e.line else ""
        raise RenderError(f"The {field} ({content.channel}{where}) is refused: {e}") from e
    except RenderError as e:
        raise RenderError(f"The {field} ({content.channel}): {e}") from e


def _names(content: Content, field: Field) -> frozenset[str]:
    source: str = getattr(content, field)
    try:
        return compile_template(source, html=field == "html").names
    except TemplateRefused as e:
        raise RenderError(f"The {field} ({content.channel}) is refused: {e}") from e


def _action_link(action: Action, base_url: str) -> str:
    try:
        return absolute_link(action.url, base_url) if action.url else ""
    except RenderError as e:
        raise RenderError(f"The action: {e}") from e


def _clean_title(text: str) -> str:
    """Return one line that reads as it looks: it becomes a mail header and a line in a list."""
    if text.isascii() and text.isprintable() and "  " not in text:
        # Most are, and there is nothing in them to look for.
        return _shortened(text.strip())
    text = _INVISIBLE.sub("", CONTROLS.sub("", _SPACES.sub(" ", text)))
    return _shortened(_STRAY_JOINER.sub("", text).strip())


def _shortened(title: str) -> str:
    return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1].rstrip() + "…"


def _clean_body(text: str) -> str:
    if text.isascii() and text.replace("\n", "").isprintable():
        return text.strip()
    return CONTROLS.sub("", _LINE_BREAK.sub("\n", text)).strip()


def _preview(body: str) -> str:
    """Return the beginning of a text, in one line."""
    return _SPACES.sub(" ", body[: 2 * MAX_PREVIEW])[:MAX_PREVIEW]


def _paragraphs(text: str) -> str:
    """Return a text as HTML: what Django's `linebreaks` makes of it, and would take four times as long for."""
    return "\n\n".join(f"<p>{escape(part).replace(_BREAK, '<br>')}</p>" for part in _GAP.split(text))


@lru_cache(maxsize=100)
def _direction(language: str) -> str:
    return "rtl" if language.partition("-")[0].lower() in settings.LANGUAGES_BIDI else "ltr"
