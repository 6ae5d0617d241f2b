"""The HTML staff may write: whole tags from an allow-list, with variables only where escaping protects the reader."""

from __future__ import annotations

import re
from typing import NoReturn

from django.template.base import Lexer, TokenType

from notifications.exceptions import RenderError, TemplateRefused

_ELEMENTS = """
a abbr address article b bdi bdo big blockquote br caption center code col colgroup dd del div dl dt em figcaption
figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins li main mark ol p pre q s section small span strike strong
sub sup table tbody td tfoot th thead time tr tt u ul wbr
"""
_ATTRIBUTES = """
abbr align alt bgcolor border cellpadding cellspacing class color colspan datetime dir face headers height href hspace
id lang name nowrap rel role rowspan scope size span src start style summary target title type valign value vspace width
"""
ELEMENTS = frozenset(_ELEMENTS.split())
ATTRIBUTES = frozenset(_ATTRIBUTES.split())

#: C0 but \t, \n and \r, DEL, C1, and halves of surrogate pairs, which no provider can encode.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
#: What stands for a template tag in an outline. Neither sources nor outputs have control characters.
VALUE, LINK, OPEN, BRANCH, CLOSE = "\x01", "\x02", "\x03", "\x04", "\x05"
_HOLES = {
    "action_url": LINK,
    **dict.fromkeys(("comment", "for", "if", "with"), OPEN),
    **dict.fromkeys(("elif", "else", "empty"), BRANCH),
    **dict.fromkeys(("endcomment", "endfor", "endif", "endwith"), CLOSE),
}
_ANY_HOLE = re.compile("[\x01-\x05]")

# HTML's own white space: `\s` has more.
_START = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_END = re.compile(r"[ \t\r\n]*/?>")
_ATTRIBUTE = re.compile(
    r"""[ \t\r\n]+([a-zA-Z][a-zA-Z0-9_-]*)"""
    r"""(?:[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)'|([a-zA-Z0-9#%._+-]+)))?"""
)
#: An allow-list, so entities and white space cannot hide another scheme.
_LINKS = {"href": re.compile(r"https?://\S|mailto:|tel:", re.IGNORECASE), "src": re.compile(r"https?://\S", re.I)}


def outline(source: str) -> str:
    """Return the fixed text of a template that compiles: one control character for each tag, lines kept."""
    parts = []
    in_comment = False
    for token in Lexer(source).tokenize():
        command = token.contents.split(maxsplit=1)[0] if token.token_type is TokenType.BLOCK else ""
        if in_comment and token.contents != "endcomment":
            parts.append("\n" * token.contents.count("\n"))
        elif token.token_type is TokenType.TEXT:
            parts.append(token.contents)
        elif token.token_type is TokenType.VAR:
            parts.append(VALUE)
        elif command:
            parts.append(_HOLES[command])
            in_comment = command == "comment"
    return "".join(parts)


def finished(html: str) -> str:
    """Return HTML as it goes out, without control characters; raise `RenderError` if it is unsafe all the same."""
    clean = CONTROLS.sub("", html)
    try:
        check_markup(clean)
    except TemplateRefused as e:
        raise RenderError(f"The finished HTML is not safe: {e}") from e
    return clean


def check_markup(text: str) -> None:
    """
    Raise `TemplateRefused` unless `text`, an outline or finished HTML, is safe and read alike by every reader.

    The grammar is narrower than HTML's on purpose: what browsers would repair is refused. Template blocks start
    and end in the same place (between tags, or in one quoted value), so every path through them was checked.
    """
    start = text.find("<")
    while start >= 0:
        start = text.find("<", _end_of_tag(text, start))


def _end_of_tag(text: str, start: int) -> int:
    opening = _START.match(text, start)
    if opening is None:
        is_comment = text.startswith(("<!", "<?"), start)
        _refuse(text, start, "HTML comments go out: write {# … #}." if is_comment else "Write &lt; for a plain '<'.")
    element = opening[2].lower()
    if element not in ELEMENTS:
        _refuse(text, start, f"<{element}> is not allowed in e-mails; remove it.")
    at = opening.end()
    while (end := _END.match(text, at)) is None:
        attribute = _ATTRIBUTE.match(text, at)
        if attribute is None or opening[1]:
            _refuse(text, at, _cause(text, at, element))
        name = attribute[1].lower()
        value = next((group for group in attribute.groups()[1:] if group is not None), "")
        problem = _problem(name, value)
        if problem:
            _refuse(text, attribute.start(1), problem)
        at = attribute.end()
    return end.end()


def _problem(name: str, value: str) -> str:
    if name.startswith("on"):
        return f"{name}= runs script; remove it."
    if name not in ATTRIBUTES and not name.startswith(("aria-", "data-")):
        return f"The attribute {name}= is not allowed in e-mails; remove it."
    if name in _LINKS:
        return _link_problem(name, value)
    if name == "style" and (VALUE in value or LINK in value):
        return "A variable cannot be part of style=; choose between fixed styles with {% if %}."
    if not _is_balanced(value):
        return f"A block starts or ends inside {name}=; keep it whole, inside or outside the quotes."
    return ""


def _link_problem(name: str, value: str) -> str:
    given = value.removeprefix(LINK)
    if _ANY_HOLE.search(given):
        return f'A link comes from one variable: {name}="{{% action_url name %}}", with {{% if %}} around the element.'
    if given == value and not _LINKS[name].match(value.strip()):
        return f'{name}= needs a full https:// address, or {name}="{{% action_url %}}".'
    return ""


def _is_balanced(value: str) -> bool:
    depth = 0
    for hole in _ANY_HOLE.findall(value):
        depth += {OPEN: 1, CLOSE: -1}.get(hole, 0)
        if depth < 0 or (hole == BRANCH and depth == 0):
            return False
    return depth == 0


def _cause(text: str, at: int, element: str) -> str:
    rest = text[at:].lstrip(" \t\r\n")
    if not rest or "<" in rest[:1]:
        return f"<{element} is not closed; end it with '>'."
    if _ANY_HOLE.match(rest.lstrip("= \t\r\n")):
        return f'Inside <{element}>, variables and tags stand only in quoted values: title="{{{{ name }}}}".'
    if rest.startswith("="):
        return f'Values inside <{element}> need quotes: name="value".'
    return f"{rest[0]!r} has no place inside <{element}>; remove it."


def _refuse(text: str, at: int, message: str) -> NoReturn:
    raise TemplateRefused(message, line=text.count("\n", 0, at) + 1)
