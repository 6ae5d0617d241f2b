"""From the TOML files the apps ship to templates in the database; what staff edited is never overwritten."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import transaction

from notifications.exceptions import NotificationError
from notifications.models import Category, Template, TemplateContent, TemplateVersion
from notifications.pipeline.rendering import check_content
from notifications.registry import cadences, did_you_mean
from notifications.types import Channel, Priority, QuietPolicy
from notifications.values import Content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

FOLDER = "notification_templates"
CATEGORIES_FILE = "categories.toml"
_KEYS = {"code", "name", "description", "category", "priority", "variables", "optional_variables"}
_CATEGORY_KEYS = {"name", "description", "required", "defaults", "quiet_hours", "daily_cap"}
_TEXTS = {"title", "body", "html"}


class ShippedTemplateError(NotificationError):
    """A shipped template cannot be used."""


class Seeded(StrEnum):
    """What became of one shipped template."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept: edited by staff"


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
    hash: str


def seed(*, now: datetime) -> dict[str, Seeded]:
    """Bring every shipped category and template into the database; return what became of each, by code."""
    shipped = list(read_all())
    with transaction.atomic():
        for code, fields in _categories().items():
            Category.objects.get_or_create(code=code, defaults=fields)
        return {template.code: _seed_one(template, now) for template in shipped}


def read_all() -> Iterator[Shipped]:
    """Read and check every shipped template; raise `ShippedTemplateError` naming the file and what is wrong."""
    categories = _categories()
    for folder in _folders():
        for path in sorted(folder.glob("*.toml")):
            if path.name != CATEGORIES_FILE:
                yield _read(path, categories)


def _seed_one(shipped: Shipped, now: datetime) -> Seeded:
    template = Template.objects.select_for_update().filter(code=shipped.code).first()
    if template is None:
        template = Template(code=shipped.code, category_id=shipped.category, priority=shipped.priority)
        template.name, template.description = shipped.name, shipped.description
        template.variables, template.shipped_hash = shipped.variables, shipped.hash
        template.save(force_insert=True)
        _publish(template, shipped, now)
        return Seeded.CREATED
    if template.shipped_hash == shipped.hash:
        return Seeded.UNCHANGED
    # The variables are the contract with the code that ships them: they follow the code, whoever edited the words.
    template.variables, template.shipped_hash = shipped.variables, shipped.hash
    template.save(update_fields=["variables", "shipped_hash"])
    if template.versions.filter(origin=TemplateVersion.Origin.STAFF).exists():
        return Seeded.KEPT
    _publish(template, shipped, now)
    return Seeded.UPDATED


def _publish(template: Template, shipped: Shipped, now: datetime) -> None:
    last = template.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = TemplateVersion.objects.create(
        template=template, number=last + 1, origin=TemplateVersion.Origin.SHIPPED, published_at=now
    )
    TemplateContent.objects.bulk_create(
        TemplateContent(
            version=version,
            channel=content.channel,
            locale=content.locale,
            title=content.title,
            body=content.body,
            html=content.html,
        )
        for content in shipped.contents
    )
    template.live_version = version
    template.save(update_fields=["live_version"])


def _folders() -> Iterator[Path]:
    for app in apps.get_app_configs():
        folder = Path(app.path) / FOLDER
        if folder.is_dir():
            yield folder


def _categories() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for folder in _folders():
        path = folder / CATEGORIES_FILE
        if path.exists():
            found.update({code: _category(path, code, fields) for code, fields in _load(path).items()})
    return found


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
    try:
        cadences(fields.get("defaults", {}))
    except ValueError as e:
        raise ShippedTemplateError(f"{where}: {e}") from e
    return fields


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise ShippedTemplateError(f"{path}: {e}.") from e


def _read(path: Path, categories: dict[str, Any]) -> Shipped:
    data = _load(path)
    for key in ("code", "name", "category"):
        if not data.get(key):
            raise ShippedTemplateError(f"{path}: {key!r} is missing.")
    if data["category"] not in categories:
        hint = did_you_mean(data["category"], categories)
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


def _priority(path: Path, name: str) -> Priority:
    try:
        return Priority[name.upper()]
    except KeyError as e:
        known = [priority.name.lower() for priority in Priority]
        raise ShippedTemplateError(f"{path}: no priority {name!r}{did_you_mean(name, known)}.") from e
