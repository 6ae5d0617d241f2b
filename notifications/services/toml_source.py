"""A TOML file with the places of its mistakes: what is wrong is said with file, line and fix."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notifications.exceptions import NotificationError
from notifications.services.toml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Callable

_CALLED = {str: "a text", list: "a list", dict: "a table", bool: "true or false", int: "a number"}


class TemplateFileError(NotificationError):
    """A file with a template cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlSource:
    """The text of a file, for the places of what is found wrong in it."""

    path: Path
    text: str

    def error(self, message: str, table: str = "", key: str = "") -> TemplateFileError:
        """Return an error with the line of a table, or of a key in it."""
        line = line_of(self.text, table, key)
        return TemplateFileError(f"{self.path}{f', line {line}' if line else ''}: {message}")

    def check_kind(self, key: str, value: Any, kind: type, table: str = "") -> None:
        """Raise `TemplateFileError` unless a value is of a kind."""
        if isinstance(value, kind) and (kind is not int or type(value) is int):
            return
        named = f"[{table}] {key}" if table else key
        raise self.error(f"{named} is {value!r}; write {_CALLED[kind]}.", table, key)

    def checked(self, where: str, check: Callable[[Any], dict[str, Any]], given: Any, *place: str) -> dict[str, Any]:
        """Return what a rule makes of a value; raise `TemplateFileError` if it refuses it."""
        try:
            return check(given)
        except ValueError as e:
            raise self.error(f"{where}: {e}", *place) from e


def load(path: Path) -> tuple[TomlSource, dict[str, Any]]:
    """Return a file and what stands in it; raise `TemplateFileError` if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise TemplateFileError(f"{path}: cannot be read: {e}.") from e
    try:
        return TomlSource(path=path, text=text), tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        raise TemplateFileError(f"{path}: {e}.") from e
