"""The TOML file with categories: read and checked, every mistake with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifications.pipeline import rules
from notifications.registry import did_you_mean
from notifications.services import toml_source
from notifications.types import QuietPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from notifications.services.toml_source import TomlSource

FILE_NAME = "categories.toml"
_KEYS: Mapping[str, type] = {
    "name": str,
    "description": str,
    "required": bool,
    "defaults": dict,
    "quiet_hours": str,
    "daily_cap": int,
}


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the categories of a file, by code; raise `TemplateFileError` naming what is wrong."""
    source, data = toml_source.load(path)
    return {code: _category(source, code, fields) for code, fields in data.items()}


def _category(source: TomlSource, code: str, fields: Any) -> dict[str, Any]:
    """Return the fields of a category."""
    where = f"category {code!r}"
    if not isinstance(fields, dict):
        raise source.error(f"{where} is a {type(fields).__name__}; write [{code}] and its fields below.", key=code)
    for key in fields:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise source.error(f"{where} has an unknown key {key!r}{hint}.", code, key)
    cap = fields.get("daily_cap")
    if cap is not None and (type(cap) is not int or cap < 1):
        message = f"{where}: daily_cap is {cap!r}; write a number above zero, or leave it out."
        raise source.error(message, code, "daily_cap")
    for key, value in fields.items():
        source.check_kind(key, value, _KEYS[key], code)
    if not fields.get("name"):
        raise source.error(f"{where}: 'name' is missing.", code)
    policy = fields.get("quiet_hours", QuietPolicy.URGENT)
    if policy not in QuietPolicy.values:
        hint = did_you_mean(policy, QuietPolicy.values)
        message = f"{where}: quiet_hours is {policy!r}{hint}; there are {', '.join(QuietPolicy.values)}."
        raise source.error(message, code, "quiet_hours")
    source.checked(f"{where}: defaults", rules.defaults, fields.get("defaults", {}), code, "defaults")
    return fields
