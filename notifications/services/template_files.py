"""The TOML file with a template and its wording: read and checked, every mistake with its place."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from notifications.pipeline import rules
from notifications.pipeline.rendering import check_content
from notifications.registry import did_you_mean, guard_names, inbox_action_names
from notifications.services import category_files, toml_source
from notifications.services.toml_lines import line_of_text
from notifications.services.toml_source import TemplateFileError
from notifications.types import Channel, Priority
from notifications.values import Content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from notifications.pipeline.rendering import Problem
    from notifications.services.toml_source import TomlSource

#: Key → what stands there. The samples that TOML has no form for, such as null, stand as JSON in tables of their own.
_KEYS: Mapping[str, type] = {
    "code": str,
    "name": str,
    "description": str,
    "category": str,
    "priority": str,
    "still_valid": str,
    "actions": list,
    "variables": dict,
    "variables_in_json": dict,
    "optional_variables": dict,
    "optional_variables_in_json": dict,
    "escalation": dict,
    "digest": dict,
}
#: BCP 47, as far as our look-up reads it.
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
_TEXTS = {"title", "body", "html"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """One TOML file, read and checked."""

    path: Path
    #: What stands in it, for the places of what is found wrong later.
    source: str
    code: str
    name: str
    description: str
    category: str
    priority: Priority
    variables: dict[str, Any]
    contents: tuple[Content, ...]
    #: Name of a guard; empty: none.
    still_valid: str
    #: Names of buttons.
    actions: list[str]
    #: Channel → seconds.
    escalation: dict[str, int]
    #: As `pipeline.rules.digest` reads it.
    digest: dict[str, Any]
    hash: str


def read(path: Path, categories: Collection[str]) -> TemplateFile:
    """Return what a file says; raise `TemplateFileError` naming file, line, field and fix."""
    source, data = toml_source.load(path)
    for key in ("code", "name", "category"):
        if not data.get(key):
            raise source.error(f"{key!r} is missing.")
    for key in data.keys() & _KEYS.keys():
        source.check_kind(key, data[key], _KEYS[key])
    if data["category"] not in categories:
        hint = did_you_mean(data["category"], categories)
        raise source.error(f"no category {data['category']!r} in any {category_files.FILE_NAME}{hint}.", key="category")
    variables = _variables(source, data)
    contents = tuple(_contents(source, data))
    if not contents:
        message = "no wording; add a table such as [in_app] or [email]."
        raise source.error(message)
    file = TemplateFile(
        path=path,
        source=source.text,
        code=data["code"],
        name=data["name"],
        description=data.get("description", ""),
        category=data["category"],
        priority=_priority(source, data.get("priority", "normal")),
        variables=variables,
        contents=contents,
        still_valid=_guard(source, data.get("still_valid", "")),
        actions=_actions(source, data.get("actions", [])),
        escalation=source.checked("[escalation]", rules.escalation, data.get("escalation", {}), "escalation"),
        digest=source.checked("[digest]", rules.digest, data.get("digest", {}), "digest"),
        hash=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    _check_words(file)
    return file


def wrong_words(file: TemplateFile, content: Content, problem: Problem) -> TemplateFileError:
    """Return what to raise where the wording of a file cannot be used."""
    table = _table_of(content)
    line = line_of_text(file.source, table, problem.field, problem.line or 1)
    where = f"{file.path}{f', line {line}' if line else ''}"
    place = f"[{table}] {problem.field}, line {problem.line or '?'}"
    return TemplateFileError(f"{where}: {place}: {problem.message}")


def _check_words(file: TemplateFile) -> None:
    for content in file.contents:
        for problem in check_content(content, list(file.variables)):
            if problem.severity == "error":
                raise wrong_words(file, content, problem)


def _table_of(content: Content) -> str:
    return f"{content.channel}.{content.locale}" if content.locale else content.channel


def _variables(source: TomlSource, data: dict[str, Any]) -> dict[str, Any]:
    """Return the variables by name, in the order of the file, each with its sample."""
    found: dict[str, Any] = {}
    for table, is_required in (("variables", True), ("optional_variables", False)):
        samples = data.get(table, {}) | _from_json(source, f"{table}_in_json", data)
        for name, sample in samples.items():
            try:
                json.dumps(sample, allow_nan=False)
            except (TypeError, ValueError) as e:
                message = f"[{table}] {name} is {sample!r}; write what JSON has: texts, numbers, lists, tables."
                raise source.error(message, table, name) from e
            if name in found:
                raise source.error(f"[{table}] {name} is declared twice.", table, name)
            found[name] = {"sample": sample, "required": is_required}
    return found


def _from_json(source: TomlSource, table: str, data: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, text in data.get(table, {}).items():
        try:
            found[name] = json.loads(text)
        except (TypeError, ValueError, RecursionError) as e:
            raise source.error(f"[{table}] {name} is {text!r}; write JSON in quotes: 'null'.", table, name) from e
    return found


def _contents(source: TomlSource, data: dict[str, Any]) -> Iterator[Content]:
    """Yield the wording: `[email]` in any language, `[email.de]` in German."""
    for channel, table in data.items():
        if channel in _KEYS:
            continue
        if channel not in Channel.values:
            hint = did_you_mean(channel, Channel.values)
            raise source.error(f"no channel {channel!r}{hint}.", channel)
        source.check_kind(channel, table, dict)
        own = {key: value for key, value in table.items() if not isinstance(value, dict)}
        if own:
            yield _content(source, channel, "", own)
        for locale, texts in table.items():
            if isinstance(texts, dict):
                yield _content(source, channel, locale, texts)


def _content(source: TomlSource, channel: str, locale: str, texts: dict[str, Any]) -> Content:
    table = f"{channel}.{locale}" if locale else channel
    if locale and not _LANGUAGE_TAG.match(locale):
        raise source.error(f"[{table}]: {locale!r} is no language tag; write de or de-AT.", table)
    for key, text in texts.items():
        if key not in _TEXTS:
            hint = did_you_mean(key, _TEXTS)
            raise source.error(f"[{table}] has no {key!r}{hint}; there are title, body, html.", table, key)
        source.check_kind(key, text, str, table)
        if "\x00" in text:
            raise source.error(f"[{table}] {key} has a NUL character; take it out.", table, key)
    return Content(
        id=0,
        channel=channel,
        locale=locale,
        title=texts.get("title", ""),
        body=texts.get("body", "").strip("\n"),
        html=texts.get("html", "").strip("\n"),
    )


def _guard(source: TomlSource, name: str) -> str:
    if name and name not in guard_names():
        message = f"no guard {name!r} is registered{did_you_mean(name, guard_names())}."
        raise source.error(message, key="still_valid")
    return name


def _actions(source: TomlSource, names: list[Any]) -> list[str]:
    known = inbox_action_names()
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise source.error(f"no action {name!r} is registered{did_you_mean(str(name), known)}.", key="actions")
    return list(dict.fromkeys(names))


def _priority(source: TomlSource, name: str) -> Priority:
    try:
        return Priority[name.upper()]
    except KeyError as e:
        known = [priority.name.lower() for priority in Priority]
        raise source.error(f"no priority {name!r}{did_you_mean(name, known)}.", key="priority") from e
