"""The TOML files that apps ship: templates with their wording, and categories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps

from notifications.services import category_files, template_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifications.services.template_files import TemplateFile

FOLDER = "notification_templates"


def read_all() -> Iterator[TemplateFile]:
    """Read and check every shipped template; raise `TemplateFileError` naming the file and what is wrong."""
    known = categories()
    for folder in _folders():
        for path in sorted(folder.glob("*.toml")):
            if path.name != category_files.FILE_NAME:
                yield template_files.read(path, known)


def categories() -> dict[str, dict[str, Any]]:
    """Read and check every shipped category, by code."""
    found: dict[str, dict[str, Any]] = {}
    for folder in _folders():
        path = folder / category_files.FILE_NAME
        if path.exists():
            found.update(category_files.read(path))
    return found


def _folders() -> Iterator[Path]:
    for app in apps.get_app_configs():
        folder = Path(app.path) / FOLDER
        if folder.is_dir():
            yield folder
