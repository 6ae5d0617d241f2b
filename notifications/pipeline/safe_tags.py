"""The tags and filters of the wording staff edit: an allow-list, each bounded in time and size."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.template import defaultfilters, defaulttags
from django.template.base import Node, NodeList, token_kwargs
from django.template.exceptions import TemplateSyntaxError
from django.template.library import Library
from django.utils import formats, html
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from django.utils.timezone import is_aware, localtime

from notifications.exceptions import RenderError, UnsafeLink
from notifications.inputs import MAX_LINK, safe_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.template.base import FilterExpression, Token
    from django.template.context import Context

    from notifications.pipeline.sandbox import SandboxParser

#: Of a longer list, the first so many are shown.
MAX_ITEMS = 100

#: ASCII without spaces and backslashes.
_MAIL_OR_PHONE = re.compile(r"(?:mailto|tel):[!-\[\]-~]+\Z", re.IGNORECASE)

register = Library()


def absolute_link(url: Any, base_url: str) -> str:
    """Return `url` as an absolute https, http, mailto or tel link; raise `RenderError` if it cannot be one."""
    if isinstance(url, str) and len(url) <= MAX_LINK and _MAIL_OR_PHONE.match(url):
        return url
    if not url:
        message = "The link is empty; put {% action_url %} inside {% if %}."
        raise RenderError(message)
    try:
        link = safe_link(url)
    except UnsafeLink as e:
        # Without the link itself: it may carry a token, and this message is stored.
        message = "The link is unsafe; use https://…, mailto:…, tel:… or a path such as /orders/42/."
        raise RenderError(message) from e
    if not link.startswith("/"):
        return link
    if not base_url:
        message = "The link is a path, and there is no base_url to join it with."
        raise RenderError(message)
    return base_url.rstrip("/") + link


class LinkNode(Node):
    child_nodelists = ()

    def __init__(self, expression: FilterExpression) -> None:
        self.expression = expression

    def render(self, context: Context) -> str:
        link = absolute_link(self.expression.resolve(context), context.render_context["base_url"])
        text = html.escape(link) if context.autoescape else link
        context.render_context["budget"].write(text)
        return text


@register.tag("action_url")
def do_action_url(parser: SandboxParser, token: Token) -> LinkNode:
    """`{% action_url %}` is the link of the notification, `{% action_url name %}` that of a variable."""
    bits = token.split_contents()[1:]
    if len(bits) > 1:
        message = "Write {% action_url %} or {% action_url name %}, with one variable."
        raise TemplateSyntaxError(message)
    return LinkNode(parser.compile_filter(bits[0] if bits else "action_url"))


class WithNode(Node):
    def __init__(self, values: dict[str, FilterExpression], nodelist: NodeList) -> None:
        self.values = values
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        values = {name: expression.resolve(context) for name, expression in self.values.items()}
        with context.push():
            for name, value in values.items():
                context[name] = value
            return self.nodelist.render(context)


@register.tag("with")
def do_with(parser: SandboxParser, token: Token) -> WithNode:
    bits = token.split_contents()[1:]
    values = token_kwargs(bits, parser)
    if bits or not values:
        message = "Write {% with name=value %}."
        raise TemplateSyntaxError(message)
    with parser.binding(list(values)):
        nodelist = parser.parse(("endwith",))
    parser.delete_first_token()
    return WithNode(values, nodelist)


class LoopNode(Node):
    child_nodelists = ("nodelist_loop", "nodelist_empty")

    def __init__(self, names: list[str], expression: FilterExpression, *, backwards: bool) -> None:
        self.names = names
        self.expression = expression
        self.backwards = backwards
        self.nodelist_loop = NodeList()
        self.nodelist_empty = NodeList()

    def render(self, context: Context) -> str:
        items = self._items(self.expression.resolve(context))
        if not items:
            return self.nodelist_empty.render(context)
        parts = []
        loop: dict[str, Any] = {"parentloop": context.get("forloop", {})}
        with context.push():
            context["forloop"] = loop
            for index, item in enumerate(items):
                context.render_context["budget"].iterate()
                left = len(items) - index
                loop |= {"counter": index + 1, "counter0": index, "revcounter": left, "revcounter0": left - 1}
                loop |= {"first": index == 0, "last": left == 1}
                self._bind(context, item)
                parts.append(self.nodelist_loop.render(context))
        return "".join(parts)

    def _items(self, value: Any) -> Sequence[Any]:
        if value is None:
            return []
        if isinstance(value, dict):
            value = list(value) if len(self.names) == 1 else list(value.items())
        if not isinstance(value, list):
            raise RenderError(f"'{self.expression.token}' is not a list; loop over a list.")
        return value[: -MAX_ITEMS - 1 : -1] if self.backwards else value[:MAX_ITEMS]

    def _bind(self, context: Context, item: Any) -> None:
        if len(self.names) == 1:
            context[self.names[0]] = item
            return
        if not isinstance(item, list | tuple) or len(item) != len(self.names):
            message = f"An item of '{self.expression.token}' does not have {len(self.names)} values; use one name."
            raise RenderError(message)
        for name, value in zip(self.names, item, strict=True):
            context[name] = value


@register.tag("for")
def do_for(parser: SandboxParser, token: Token) -> LoopNode:
    """`{% for item in items %}…{% empty %}…{% endfor %}`; two names take the keys and values of an object."""
    bits = token.split_contents()[1:]
    backwards = bits[-1:] == ["reversed"] and bits[-2:-1] != ["in"]
    bits = bits[:-1] if backwards else bits
    names = " ".join(bits[:-2]).replace(",", " ").split()
    if bits[-2:-1] != ["in"] or not names:
        message = "Write {% for item in items %} or {% for key, value in items %}."
        raise TemplateSyntaxError(message)
    node = LoopNode(names, parser.compile_filter(bits[-1]), backwards=backwards)
    with parser.looping(names):
        node.nodelist_loop = parser.parse(("empty", "endfor"))
    if parser.next_token().contents == "empty":
        node.nodelist_empty = parser.parse(("endfor",))
        parser.delete_first_token()
    return node


@register.filter("date")
def format_date(value: str, arg: str | None = None) -> str:
    return formats.date_format(_moment(value), arg) if value else ""


@register.filter("time")
def format_time(value: str, arg: str | None = None) -> str:
    return formats.time_format(_moment(value), arg) if value else ""


def _moment(value: str) -> Any:
    """Read ISO 8601; an instant with an offset is moved to the active time zone."""
    moment: dt.datetime | dt.date | dt.time | None = parse_datetime(value) or parse_date(value) or parse_time(value)
    if moment is None:
        message = "not ISO 8601"
        raise ValueError(message)
    return localtime(moment) if isinstance(moment, dt.datetime) and is_aware(moment) else moment


@register.filter
def join(value: Any, arg: str) -> str:
    if not isinstance(value, list) or any(isinstance(item, list | dict) for item in value):
        message = "join takes a list of texts and numbers"
        raise TypeError(message)
    return arg.join("" if item is None else str(formats.localize(item)) for item in value[:MAX_ITEMS])


@register.filter
def first(value: Any) -> Any:
    return value[0] if value else ""


@register.filter
def last(value: Any) -> Any:
    return value[-1] if value else ""


@register.filter(needs_autoescape=True)
def escape(value: Any, autoescape: bool = True) -> Any:
    # HTML is escaped at the end anyway; twice would show.
    return value if autoescape else html.escape(value)


# Django's own, where they neither call, trust nor multiply what they are given.
register.tags |= {"comment": defaulttags.comment, "if": defaulttags.do_if}
register.filters |= {
    "capfirst": defaultfilters.capfirst,
    "default": defaultfilters.default,
    "default_if_none": defaultfilters.default_if_none,
    "floatformat": defaultfilters.floatformat,
    "intcomma": intcomma,
    "length": defaultfilters.length,
    "linebreaksbr": defaultfilters.linebreaksbr,
    "lower": defaultfilters.lower,
    "pluralize": defaultfilters.pluralize,
    "title": defaultfilters.title,
    "truncatechars": defaultfilters.truncatechars,
    "truncatewords": defaultfilters.truncatewords,
    "upper": defaultfilters.upper,
    "urlencode": defaultfilters.urlencode,
    "yesno": defaultfilters.yesno,
}
