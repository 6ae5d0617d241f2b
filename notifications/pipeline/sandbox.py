"""Templates from people who are not trusted with code: they read plain data, and nothing they do takes long."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NoReturn

from django.template.base import (
    FilterExpression,
    Lexer,
    Node,
    NodeList,
    Parser,
    Template,
    TextNode,
    Token,
    TokenType,
    VariableNode,
)
from django.template.context import Context
from django.template.engine import Engine
from django.template.exceptions import TemplateSyntaxError

from notifications.exceptions import RenderError, TemplateRefused
from notifications.pipeline import joining
from notifications.pipeline.expressions import (
    ERRORS,
    Budget,
    Expression,
    MissingVariable,
    Output,
    Text,
    plain,
    shortened,
)
from notifications.pipeline.markup import CONTROLS, check_markup, finished, outline
from notifications.registry import did_you_mean

MAX_SOURCE = 20 * 1024
MAX_NODES = 200
MAX_LOOPS = 2
MAX_DEPTH = 10
MAX_WORDS = 40
MAX_MESSAGE = 300
#: Some 15 KB each.
CACHE_SIZE = 1000

_TAG_START = re.compile(r"\{[{%#]")
_CONSTANTS = ("True", "False", "None")


def compile_template(source: str, *, html: bool) -> CompiledTemplate:
    """Return the template, from the cache if it was compiled before; raise `TemplateRefused` with line and cure."""
    return _compile(source, html)


@lru_cache(maxsize=CACHE_SIZE)
def _compile(source: str, html: bool) -> CompiledTemplate:
    _check_size(source)
    template = SandboxTemplate(source, engine=_engine())
    if html:
        check_markup(outline(source))
    return CompiledTemplate(template=template, html=html, parts=joining.parts_of(template.nodelist))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledTemplate:
    """A template that passed every check, ready to be filled in by any number of threads."""

    template: SandboxTemplate
    html: bool
    #: Text and bare variables in turn, if there is nothing else in it: (text, name) or (text, None).
    parts: joining.Parts | None = None

    @property
    def names(self) -> frozenset[str]:
        """The variables it reads, without those it makes itself."""
        return self.template.names

    @property
    def lines(self) -> Mapping[str, int]:
        """The line on which each variable is read first."""
        return self.template.lines

    def render(self, context: Mapping[str, Any], *, base_url: str = "") -> str:
        """Fill it in with plain JSON data; raise `RenderError` naming what is wrong."""
        joined = None if self.parts is None else joining.joined(self.parts, context, html=self.html)
        if joined is not None:
            return finished(joined) if self.html else joined
        budget = Budget()
        try:
            data = {name: plain(context[name], name, budget) for name in self.names if name in context}
            text = self._filled(Context(data, autoescape=self.html), budget, base_url)
        except MissingVariable as e:
            line = self.lines.get(e.name.partition(".")[0])
            where = f" (line {line})" if line else ""
            raise RenderError(f"There is no {e.name!r}{where}; pass it, or add |default:'…'.") from e
        except ERRORS as e:
            raise RenderError(f"It cannot be filled in: {type(e).__name__}.") from e
        if budget.overspent:
            raise RenderError(budget.overspent)
        return finished(text) if self.html else text

    def _filled(self, context: Context, budget: Budget, base_url: str) -> str:
        with context.bind_template(self.template):
            context.render_context["budget"] = budget
            context.render_context["base_url"] = base_url
            # Not a SafeString: plain text must never pass for HTML.
            return str.__str__(self.template.nodelist.render(context))


def _check_size(source: str) -> None:
    size = len(source.encode(errors="replace"))
    if size > MAX_SOURCE:
        raise TemplateRefused(f"It is {size} bytes long; at most {MAX_SOURCE}.")
    control = CONTROLS.search(source)
    if control:
        line = source.count("\n", 0, control.start()) + 1
        raise TemplateRefused(f"There is a control character (U+{ord(control[0]):04X}); delete it.", line=line)
    # Before Django's lexer, which needs quadratic time for tags that are never closed.
    if len(_TAG_START.findall(source)) > 2 * MAX_NODES:
        raise TemplateRefused(f"It has over {2 * MAX_NODES} tags; shorten it.")


class SandboxEngine(Engine):
    #: `Engine(builtins=…)` would only add to Django's.
    default_builtins = ["notifications.pipeline.safe_tags"]


class SandboxTemplate(Template):
    lines: Mapping[str, int]
    names: frozenset[str]

    def compile_nodelist(self) -> NodeList:
        parser = SandboxParser(Lexer(self.source).tokenize(), {}, self.engine.template_builtins, self.origin)
        try:
            nodelist = parser.parse()
        except TemplateRefused:
            raise
        except (TemplateSyntaxError, *ERRORS) as e:
            message = str(e) if isinstance(e, TemplateSyntaxError) else f"'{parser.code}' is broken; check its quotes."
            raise TemplateRefused(message[:MAX_MESSAGE], line=parser.line) from e
        self.lines = MappingProxyType(parser.lines)
        self.names = frozenset(parser.lines)
        return nodelist


@lru_cache(maxsize=1)
def _engine() -> SandboxEngine:
    return SandboxEngine(loaders=[], libraries={})


class SandboxParser(Parser):
    """Django's parser with limits, strict expressions, and a memory of the names."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lines: dict[str, int] = {}
        #: The token being parsed, and where it starts.
        self.code, self.line = "", 1
        self._bound: list[str] = []
        self._nodes = self._depth = self._loops = 0

    def parse(self, parse_until: Any = None) -> NodeList:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TemplateRefused(f"Blocks are nested deeper than {MAX_DEPTH}; simplify them.", line=self.line)
        nodelist = super().parse(parse_until)
        self._depth -= 1
        return nodelist

    def next_token(self) -> Token:
        token = super().next_token()
        self.code, self.line = token.contents, token.lineno or 1
        if token.token_type is TokenType.BLOCK and len(token.contents.split()) > MAX_WORDS:
            raise TemplateRefused(f"This tag has over {MAX_WORDS} words; split it.", line=self.line)
        return token

    def extend_nodelist(self, nodelist: NodeList, node: Node, token: Token) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise TemplateRefused(f"It has over {MAX_NODES} texts, variables and tags; shorten it.", line=token.lineno)
        if isinstance(node, VariableNode):
            node = Output(node.filter_expression)
        elif isinstance(node, TextNode):
            rest = re.search(r"\{[{%]", node.s)
            if rest:
                line = (token.lineno or 1) + node.s.count("\n", 0, rest.start())
                raise TemplateRefused(f"'{rest[0]}' is not finished; close it on the same line.", line=line)
            node = Text(node.s)
        super().extend_nodelist(nodelist, node, token)

    def compile_filter(self, token: str) -> FilterExpression:
        try:
            return Expression(token, self)
        except TemplateSyntaxError as e:
            if not str(e).startswith("Could not"):
                raise
            message = (
                f"'{shortened(token)}' cannot be read; write name, name.part or name|filter:'text', without spaces."
            )
            raise TemplateSyntaxError(message) from e

    def find_filter(self, filter_name: str) -> Callable[..., Any]:
        if filter_name not in self.filters:
            hint = did_you_mean(filter_name, self.filters) or "; there are " + ", ".join(sorted(self.filters))
            raise TemplateSyntaxError(f"Templates have no filter '|{shortened(filter_name)}'{hint}.")
        return self.filters[filter_name]

    def invalid_block_tag(self, token: Token, command: str, parse_until: Any = None) -> NoReturn:
        if command.startswith("end") or command in {"elif", "else", "empty"}:
            message = f"{{% {shortened(command)} %}} has no block to belong to; remove it or add the start."
        else:
            hint = did_you_mean(command, self.tags) or "; there are " + ", ".join(sorted(self.tags))
            message = f"Templates have no tag {{% {shortened(command)} %}}{hint}."
        raise TemplateRefused(message, line=token.lineno)

    def unclosed_block_tag(self, parse_until: Any) -> NoReturn:
        command, token = self.command_stack.pop()
        raise TemplateRefused(
            f"{{% {shortened(command)} %}} is never closed; add {{% end{command} %}}.", line=token.lineno
        )

    def note(self, name: str) -> None:
        """Note that a variable is read."""
        if name not in self._bound and name not in _CONSTANTS:
            self.lines.setdefault(name, self.line)

    @contextmanager
    def binding(self, names: list[str]) -> Iterator[None]:
        """Parse a block in which the template itself gives these names a value."""
        for name in names:
            if not name.isidentifier() or name.startswith("_") or name in (*_CONSTANTS, "forloop"):
                raise TemplateSyntaxError(f"{name!r} cannot be the name of a variable; choose another.")
        self._bound += names
        yield
        del self._bound[-len(names) :]

    @contextmanager
    def looping(self, names: list[str]) -> Iterator[None]:
        """Parse the body of a loop."""
        self._loops += 1
        if self._loops > MAX_LOOPS:
            raise TemplateSyntaxError(f"Loops are nested deeper than {MAX_LOOPS}; prepare the data in code.")
        with self.binding(names):
            self._bound.append("forloop")
            yield
            self._bound.pop()
        self._loops -= 1
