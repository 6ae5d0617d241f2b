"""The TOML files that apps ship, read and checked: templates with their wording, and categories."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps

from notifications.exceptions import NotificationError
from notifications.pipeline import rules
from notifications.pipeline.rendering import check_content
from notifications.registry import did_you_mean, guard_names, inbox_action_names
from notifications.types import Channel, Priority, QuietPolicy
from notifications.values import Content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = "notification_templates"
CATEGORIES_FILE = "categories.toml"
_KEYS = {
    "code",
    "name",
    "description",
    "category",
    "priority",
    "variables",
    "optional_variables",
    "still_valid",
    "actions",
    "escalation",
    "digest",
}
_CATEGORY_KEYS = {"name", "description", "required", "defaults", "quiet_hours", "daily_cap"}
_TEXTS = {"title", "body", "html"}


class ShippedTemplateError(NotificationError):
    """A shipped template cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One TOML file, read and checked."""

    path: Path
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


def read_all() -> Iterator[Shipped]:
    """Read and check every shipped template; raise `ShippedTemplateError` naming the file and what is wrong."""
    known = categories()
    for folder in _folders():
        for path in sorted(folder.glob("*.toml")):
            if path.name != CATEGORIES_FILE:
                yield _read(path, known)


def categories() -> dict[str, dict[str, Any]]:
    """Read and check every shipped category, by code."""
    found: dict[str, dict[str, Any]] = {}
    for folder in _folders():
        path = folder / CATEGORIES_FILE
        if path.exists():
            found.update({code: _category(path, code, fields) for code, fields in _load(path).items()})
    return found


def _folders() -> Iterator[Path]:
    for app in apps.get_app_configs():
        folder = Path(app.path) / FOLDER
        if folder.is_dir():
            yield folder


def _category(path: Path, code: str, fields: Any) -> dict[str, Any]:
    """Return the fields of a category; raise `ShippedTemplateError` naming what is wrong."""
    where = f"{path}: category {code!r}"
    if not isinstance(fields, dict):
        raise ShippedTemplateError(f"{where} is a {type(fields).__name__}; write [{code}] and its fields below.")
    for key in fields.keys() - _CATEGORY_KEYS:
        raise ShippedTemplateError(f"{where} has an unknown key {key!r}{did_you_mean(key, _CATEGORY_KEYS)}.")
    policy = fields.get("quiet_hours", QuietPolicy.URGENT)
    if policy not in QuietPolicy.values:
        hint = did_you_mean(policy, QuietPolicy.values)
        raise ShippedTemplateError(
            f"{where}: quiet_hours is {policy!r}{hint}; there are {', '.join(QuietPolicy.values)}."
        )
    cap = fields.get("daily_cap")
    if cap is not None and (type(cap) is not int or cap < 1):
        raise ShippedTemplateError(f"{where}: daily_cap is {cap!r}; write a number above zero, or leave it out.")
    _checked(path, f"category {code!r}: defaults", rules.defaults, fields.get("defaults", {}))
    return fields


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise ShippedTemplateError(f"{path}: {e}.") from e


def _read(path: Path, known: dict[str, Any]) -> Shipped:
    data = _load(path)
    for key in ("code", "name", "category"):
        if not data.get(key):
            raise ShippedTemplateError(f"{path}: {key!r} is missing.")
    if data["category"] not in known:
        hint = did_you_mean(data["category"], known)
        raise ShippedTemplateError(f"{path}: no category {data['category']!r} in any {CATEGORIES_FILE}{hint}.")
    variables = _variables(data)
    contents = tuple(_contents(path, data))
    if not contents:
        raise ShippedTemplateError(f"{path}: no wording; add a table such as [in_app] or [email].")
    for content in contents:
        for problem in check_content(content, list(variables)):
            if problem.severity == "error":
                place = f"[{content.channel}] {problem.field}, line {problem.line or '?'}"
                raise ShippedTemplateError(f"{path}: {place}: {problem.message}")
    return Shipped(
        path=path,
        code=data["code"],
        name=data["name"],
        description=data.get("description", ""),
        category=data["category"],
        priority=_priority(path, data.get("priority", "normal")),
        variables=variables,
        contents=contents,
        still_valid=_guard(path, data.get("still_valid", "")),
        actions=_actions(path, data.get("actions", [])),
        escalation=_checked(path, "[escalation]", rules.escalation, data.get("escalation", {})),
        digest=_checked(path, "[digest]", rules.digest, data.get("digest", {})),
        hash=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _variables(data: dict[str, Any]) -> dict[str, Any]:
    required = {name: {"sample": sample, "required": True} for name, sample in data.get("variables", {}).items()}
    optional = {
        name: {"sample": sample, "required": False} for name, sample in data.get("optional_variables", {}).items()
    }
    return required | optional


def _contents(path: Path, data: dict[str, Any]) -> Iterator[Content]:
    """Yield the wording: `[email]` in any language, `[email.de]` in German."""
    for channel, table in data.items():
        if channel in _KEYS:
            continue
        if channel not in Channel.values:
            raise ShippedTemplateError(f"{path}: no channel {channel!r}{did_you_mean(channel, Channel.values)}.")
        yield _content(path, channel, "", {key: value for key, value in table.items() if not isinstance(value, dict)})
        for locale, texts in table.items():
            if isinstance(texts, dict):
                yield _content(path, channel, locale, texts)


def _content(path: Path, channel: str, locale: str, texts: dict[str, Any]) -> Content:
    if unknown := sorted(texts.keys() - _TEXTS):
        hint = did_you_mean(unknown[0], _TEXTS)
        raise ShippedTemplateError(f"{path}: [{channel}] has no {unknown[0]!r}{hint}; there are title, body, html.")
    return Content(
        id=0,
        channel=channel,
        locale=locale,
        title=texts.get("title", ""),
        body=texts.get("body", "").strip("\n"),
        html=texts.get("html", "").strip("\n"),
    )


def _guard(path: Path, name: str) -> str:
    if name and name not in guard_names():
        raise ShippedTemplateError(f"{path}: no guard {name!r} is registered{did_you_mean(name, guard_names())}.")
    return name


def _actions(path: Path, names: Any) -> list[str]:
    if not isinstance(names, list):
        raise ShippedTemplateError(f'{path}: actions is {names!r}; write a list of names: actions = ["confirm"].')
    known = inbox_action_names()
    for name in names:
        if name not in known:
            raise ShippedTemplateError(f"{path}: no action {name!r} is registered{did_you_mean(name, known)}.")
    return list(dict.fromkeys(names))


def _checked(path: Path, where: str, check: Callable[[Any], dict[str, Any]], given: Any) -> dict[str, Any]:
    try:
        return check(given)
    except ValueError as e:
        raise ShippedTemplateError(f"{path}: {where}: {e}") from e


def _priority(path: Path, name: str) -> Priority:
    try:
        return Priority[name.upper()]
    except KeyError as e:
        known = [priority.name.lower() for priority in Priority]
        raise ShippedTemplateError(f"{path}: no priority {name!r}{did_you_mean(name, known)}.") from e
