"""What a template may read and spend: keys of plain data, through listed filters, within a budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.template.base import (
    FilterExpression,
    TextNode,
    Variable,
    VariableDoesNotExist,
    VariableNode,
    render_value_in_context,
)
from django.template.exceptions import TemplateSyntaxError
from django.utils.safestring import SafeString

from notifications.exceptions import RenderError
from notifications.pipeline.safe_tags import register

if TYPE_CHECKING:
    from django.template.context import Context

    from notifications.pipeline.sandbox import SandboxParser

MAX_ITERATIONS = 2000
MAX_OUTPUT = 256 * 1024
#: In characters read; a variable and a filter cost as much time as so many. All of it takes some 0.3 s.
MAX_WORK = 2_000_000
VARIABLE_WORK = 25
FILTER_WORK = 200
#: Comparing containers takes time that their length does not show.
CONTAINER_WORK = 1000
MAX_ARGUMENT = 200
MAX_DATA_DEPTH = 20

#: What Django's nodes and filters raise on data they were not made for.
ERRORS = (ArithmeticError, AttributeError, LookupError, RecursionError, StopIteration, TypeError, ValueError)

_FILTER_NAMES = {function: name for name, function in register.filters.items()}
_MISSING_IS_EMPTY = ("default", "default_if_none")
_TAKES_NONE = (*_MISSING_IS_EMPTY, "length", "yesno")
_TAKES_LISTS = (*_TAKES_NONE, "first", "join", "last", "pluralize")
_PLACE = re.compile(r"[0-9]{1,4}\Z")
_UP_TO_200 = re.compile(r"(?:[1-9]\d?|1\d\d|200)\Z", re.ASCII)
_NUMBERS = {
    "floatformat": (re.compile(r"(?=.)-?[0-6]?[gu]{0,2}\Z"), "a number up to 6"),
    "truncatechars": (_UP_TO_200, "a number from 1 to 200"),
    "truncatewords": (_UP_TO_200, "a number from 1 to 200"),
}


class Budget:
    """What one rendering may still spend."""

    __slots__ = ("iterations", "output", "overspent", "work")

    def __init__(self) -> None:
        self.iterations = MAX_ITERATIONS
        self.output = MAX_OUTPUT
        self.work = MAX_WORK
        #: The limit that was passed. Kept, because `{% if %}` takes an error in a comparison for "no".
        self.overspent = ""

    def iterate(self) -> None:
        self.iterations -= 1
        if self.iterations < 0:
            self._refuse(f"It loops over {MAX_ITERATIONS} times in all; loop over less.")

    def write(self, text: str) -> None:
        self.output -= len(text)
        if self.output < 0:
            self._refuse(f"It is longer than {MAX_OUTPUT} characters; shorten it.")

    def read(self, value: Any, work: int) -> None:
        if isinstance(value, str):
            work += len(value)
        elif isinstance(value, list | dict):
            work += CONTAINER_WORK
        self.work -= work
        if self.work < 0:
            self._refuse("It takes too long; use fewer filters, comparisons and loops on long texts.")

    def _refuse(self, message: str) -> None:
        self.overspent = message
        raise RenderError(message)


def plain(value: Any, name: str, budget: Budget, depth: int = 1) -> Any:
    """Return a copy made of exact JSON types only; raise `RenderError` naming the variable that is something else."""
    budget.read(value if isinstance(value, str) else None, VARIABLE_WORK)
    if depth > MAX_DATA_DEPTH:
        raise RenderError(f"Variable {name!r} is nested deeper than {MAX_DATA_DEPTH} levels; flatten it.")
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        # Also when it says that it is safe HTML.
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {str.__str__(key): plain(item, name, budget, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, name, budget, depth + 1) for item in value]
    raise RenderError(f"Variable {name!r} is a {type(value).__name__}; pass text, numbers, lists and objects.")


class MissingVariable(VariableDoesNotExist):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = shortened(name)


class PlainVariable(Variable):
    """A variable that knows keys of objects and places in lists: no attributes, no calls."""

    __slots__ = ()

    def __init__(self, var: str) -> None:
        super().__init__(var)
        if self.lookups and not all(self.lookups):
            raise TemplateSyntaxError(f"'{shortened(var)}' has a dot too many; remove it.")

    def _resolve_lookup(self, context: Context) -> Any:
        root, *keys = self.lookups or ()
        try:
            value = context[root]
        except KeyError as e:
            raise MissingVariable(root) from e
        for key in keys:
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and _PLACE.match(key) and int(key) < len(value):
                value = value[int(key)]
            else:
                raise MissingVariable(str(self.var))
        return value


def shortened(code: str) -> str:
    """Return template code for a message."""
    return code if len(code) <= 60 else f"{code[:60]}…"


@dataclass(frozen=True, slots=True)
class Step:
    """One filter and its argument, if it has one."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Expression(FilterExpression):
    """A variable or literal with its filters. A literal is as little trusted as a variable."""

    def __init__(self, token: str, parser: SandboxParser) -> None:
        super().__init__(token, parser)
        self.code = shortened(token)
        self.start = _value(self.var, parser)
        self.steps = [_step(function, given, parser) for function, given in self.filters]
        #: From here on a missing variable is empty; None: it is an error.
        self.forgiving = next((at for at, step in enumerate(self.steps) if step.name in _MISSING_IS_EMPTY), None)

    def resolve(self, context: Context, ignore_failures: bool = False) -> Any:
        budget: Budget = context.render_context["budget"]
        value, steps = self.start, self.steps
        if isinstance(value, PlainVariable):
            try:
                value = value.resolve(context)
            except MissingVariable:
                if self.forgiving is None and not ignore_failures:
                    raise
                value, steps = None, steps[self.forgiving or 0 :]
        budget.read(value, VARIABLE_WORK)
        for step in steps:
            value = self._apply(step, value, context)
            budget.read(value, FILTER_WORK)
        return value

    def _apply(self, step: Step, value: Any, context: Context) -> Any:
        if value is None and step.name not in _TAKES_NONE:
            value = ""
        if isinstance(value, list | dict) and step.name not in _TAKES_LISTS:
            raise RenderError(f"'{self.code}' filters a list or object by |{step.name}; loop over it, or use |join.")
        arguments = [item.resolve(context) if isinstance(item, PlainVariable) else item for item in step.arguments]
        flags = {"autoescape": context.autoescape} if getattr(step.function, "needs_autoescape", False) else {}
        try:
            result = step.function(value, *arguments, **flags)
        except ERRORS as e:
            # Without the value: this message is stored.
            kind = type(value).__name__
            raise RenderError(f"'{self.code}' cannot be filled in: |{step.name} does not take this {kind}.") from e
        if isinstance(result, SafeString) and result is not value and step.name != "linebreaksbr":
            return str.__str__(result)
        return result


class Text(TextNode):
    def render_annotated(self, context: Context) -> str:
        context.render_context["budget"].write(self.s)
        return self.s


class Output(VariableNode):
    def render(self, context: Context) -> str:
        value = self.filter_expression.resolve(context)
        if value is None:
            return ""
        if isinstance(value, list | dict):
            code = shortened(self.filter_expression.token)
            raise RenderError(f"'{code}' is a list or object; loop over it, or use |join.")
        text = render_value_in_context(value, context)
        context.render_context["budget"].write(text)
        return text


def bare_name(node: Output) -> str:
    """Return the variable's name, if the node shows one without parts and filters; else empty."""
    shown = cast("Expression", node.filter_expression)
    is_bare = isinstance(shown.start, PlainVariable) and not shown.steps and len(shown.start.lookups or ()) == 1
    return str(shown.start.var) if is_bare else ""


def _step(function: Callable[..., Any], given: list[tuple[bool, Any]], parser: SandboxParser) -> Step:
    name = _FILTER_NAMES[function]
    arguments = tuple(_value(value, parser) for _, value in given)
    for argument in arguments:
        _check_argument(name, argument)
    return Step(name, function, arguments)


def _check_argument(name: str, argument: Any) -> None:
    pattern, wanted = _NUMBERS.get(name, (None, "text in quotes"))
    if name in _MISSING_IS_EMPTY:
        return
    if isinstance(argument, PlainVariable):
        raise TemplateSyntaxError(f"|{name} takes {wanted}, not a variable.")
    if pattern is None and (not isinstance(argument, str) or len(argument) > MAX_ARGUMENT):
        raise TemplateSyntaxError(f"|{name} takes {wanted}, of at most {MAX_ARGUMENT} characters.")
    if pattern is not None and not pattern.match(str(argument)):
        raise TemplateSyntaxError(f"|{name} takes {wanted}.")


def _value(given: Any, parser: SandboxParser) -> Any:
    """Return a literal as its plain value, and a variable as a `PlainVariable` whose name the parser knows."""
    if isinstance(given, str):
        return str.__str__(given)
    if not isinstance(given, Variable):
        message = "Templates are translated as a whole; write the text without _( )."
        raise TemplateSyntaxError(message)
    if given.lookups is None:
        return given.literal
    variable = PlainVariable(str(given.var))
    parser.note(given.lookups[0])
    return variable
