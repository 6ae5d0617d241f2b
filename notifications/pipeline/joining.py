"""The shorter way for templates of texts and bare variables, to the end that the nodes come to."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from notifications.pipeline.expressions import Output, Text, bare_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.template.base import NodeList

#: Text and bare variables in turn: (text, None) or ("", name).
Parts = tuple[tuple[str, "str | None"], ...]

#: Characters of variables: far below every limit of the nodes.
MAX_JOINED = 20_000


def parts_of(nodes: NodeList) -> Parts | None:
    """Return a template of texts and bare variables as what it is; None: there is more to it."""
    parts: list[tuple[str, str | None]] = []
    for node in nodes:
        if isinstance(node, Text):
            parts.append((node.s, None))
        elif isinstance(node, Output) and (name := bare_name(node)):
            parts.append(("", name))
        else:
            return None
    return tuple(parts)


def joined(parts: Parts, context: Mapping[str, Any], *, html: bool) -> str | None:
    """
    Fill in texts only, without the work of the nodes; None: that is a case for them.

    What is missing, long or not a text is theirs: they know the limits, the formats and the words for errors.
    """
    filled, length = [], 0
    for text, name in parts:
        value = text if name is None else context.get(name)
        if type(value) is not str:
            return None
        if name is not None:
            length += len(value)
            value = escape(value) if html else value
        filled.append(value)
    return "".join(filled) if length <= MAX_JOINED else None
