"""From templates in the database to TOML files in the form that apps ship, to move edits between environments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from notifications.exceptions import NotificationError
from notifications.models import Category, Template, TemplateContent, TemplateVersion
from notifications.services import toml_writing
from notifications.types import Channel, Priority, QuietPolicy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_ORDER = {channel: place for place, channel in enumerate(Channel.values)}


class NotExportable(NotificationError):
    """The wording has something that the files have no form for."""


def file_name(code: str) -> str:
    """Return the name of the file of a template."""
    return f"{code.lower()}.toml"


def texts(codes: Collection[str] = (), *, drafts: bool = False) -> dict[str, str | None]:
    """
    Return code → text of its file; of all templates, if none is named. None: nothing is published.

    The live wording; with `drafts`, that of the draft where there is one. Raise `NotExportable`.
    """
    found = Template.objects.order_by("code")
    found = found.filter(code__in=codes) if codes else found
    versions = {template.code: template.live_version_id for template in found}
    if drafts:
        versions |= TemplateVersion.objects.filter(published_at__isnull=True, template__in=versions).values_list(
            "template_id", "pk"
        )
    contents: dict[int | None, list[TemplateContent]] = {}
    for row in TemplateContent.objects.filter(version__in=[pk for pk in versions.values() if pk]):
        contents.setdefault(row.version_id, []).append(row)
    return {
        template.code: text_of(template, contents[pk]) if (pk := versions[template.code]) in contents else None
        for template in found
    }


def text_of(template: Template, contents: Iterable[TemplateContent]) -> str:
    """Return the text of a template's file with this wording; raise `NotExportable`."""
    tables = [toml_writing.table("", _fields(template)), *_variables(template)]
    rules = (("escalation", template.escalation), ("digest", template.digest))
    tables += [toml_writing.table(name, sorted(given.items())) for name, given in rules if given]
    for row in sorted(contents, key=lambda row: (row.locale, _ORDER.get(row.channel, len(_ORDER)), row.channel)):
        if row.variant:
            raise NotExportable(f"{template.code} has the variant {row.variant!r}; there are no files with variants.")
        name = f"{row.channel}.{row.locale}" if row.locale else row.channel
        tables.append(toml_writing.table(name, _words(row), prose=("body", "html")))
    return "\n".join(tables)


def categories() -> str:
    """Return the text of the file with every category."""
    return "\n".join(
        toml_writing.table(category.code, _of_category(category)) for category in Category.objects.order_by("code")
    )


def _fields(template: Template) -> Iterator[tuple[str, Any]]:
    yield "code", template.code
    yield "name", template.name
    if template.description:
        yield "description", template.description
    yield "category", template.category_id
    yield "priority", Priority(template.priority).name.lower()
    if template.still_valid:
        yield "still_valid", template.still_valid
    if template.actions:
        yield "actions", template.actions


def _variables(template: Template) -> Iterator[str]:
    for name, is_required in (("variables", True), ("optional_variables", False)):
        samples = {
            variable: declared["sample"]
            for variable, declared in sorted(template.variables.items())
            if declared.get("required", True) is is_required
        }
        plain = [(variable, sample) for variable, sample in samples.items() if toml_writing.has_form(sample)]
        others = [
            (variable, json.dumps(sample, ensure_ascii=False, sort_keys=True))
            for variable, sample in samples.items()
            if not toml_writing.has_form(sample)
        ]
        if plain:
            yield toml_writing.table(name, plain)
        if others:
            yield toml_writing.table(f"{name}_in_json", others)


def _words(row: TemplateContent) -> Iterator[tuple[str, str]]:
    if row.title:
        yield "title", row.title
    # Line breaks around a text are those of the file, not of the text.
    yield "body", row.body.strip("\n")
    if html := row.html.strip("\n"):
        yield "html", html


def _of_category(category: Category) -> Iterator[tuple[str, Any]]:
    yield "name", category.name
    if category.description:
        yield "description", category.description
    yield "required", category.required
    if category.quiet_hours != QuietPolicy.URGENT:
        yield "quiet_hours", category.quiet_hours
    if category.daily_cap is not None:
        yield "daily_cap", category.daily_cap
    if category.defaults:
        yield "defaults", category.defaults
