"""From TOML files to drafts in the database: all of the files or none; nothing live changes unless it is said so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction

from notifications.models import Category, Template, TemplateContent, TemplateVersion
from notifications.services import category_files, template_files, templates, wording_diff
from notifications.services.toml_source import TemplateFileError
from notifications.types import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from django.contrib.auth.base_user import AbstractBaseUser

    from notifications.services.template_files import TemplateFile
    from notifications.values import Content

#: What staff decide on; the rest is the contract with the code that ships the template, if any does.
_OF_STAFF = ("name", "description", "category_id", "priority", "escalation", "digest")
_CONTRACT = ("variables", "still_valid", "actions")


class Outcome(StrEnum):
    """What becomes of one file."""

    CREATED = "created"
    DRAFTED = "draft"
    PUBLISHED = "published"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a template or category; `details` says it line by line."""

    name: str
    outcome: Outcome
    #: Of the version that holds the words; None: no words were written.
    number: int | None = None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What an import may do, and in whose name. `user` is None for a rehearsal, which leaves no entry in the history."""

    user: AbstractBaseUser | None
    now: datetime
    publish: bool = False
    replace_drafts: bool = False
    #: Do it all, report it, and take it back.
    dry_run: bool = False


def bring_in(paths: Iterable[Path], how: How) -> list[Imported]:
    """
    Import files, and the files of folders; return what became of each.

    Without `publish` words become drafts, and what differs besides is told only. Raise `TemplateFileError` naming file,
    line, field and fix: then nothing has changed.
    """
    files = sorted(_files(paths))
    with transaction.atomic():
        found = list(_categories(files, how))
        known = set(Category.objects.values_list("code", flat=True))
        read = [template_files.read(path, known) for path in files if path.name != category_files.FILE_NAME]
        _check_once(read)
        found += [_template(file, how) for file in read]
        transaction.set_rollback(how.dry_run)
    return found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise TemplateFileError(f"{path}: there is no such file or folder.")
        inside = list(path.glob("*.toml")) if path.is_dir() else [path]
        if not inside:
            raise TemplateFileError(f"{path}: there is no *.toml in it.")
        yield from inside


def _check_once(files: Sequence[TemplateFile]) -> None:
    seen: dict[str, TemplateFile] = {}
    for file in files:
        if file.code in seen and seen[file.code].path != file.path:
            raise TemplateFileError(f"{file.path}: {file.code} stands in {seen[file.code].path}, too; leave one out.")
        seen[file.code] = file


def _categories(files: Iterable[Path], how: How) -> Iterator[Imported]:
    for path in files:
        if path.name == category_files.FILE_NAME:
            for code, fields in category_files.read(path).items():
                yield _category(path, Category(code=code, **fields), how)


def _category(path: Path, wanted: Category, how: How) -> Imported:
    name = f"category {wanted.code}"
    fields = ("name", "description", "required", "defaults", "quiet_hours", "daily_cap")
    existing = Category.objects.select_for_update().filter(pk=wanted.pk).first()
    if existing is None:
        _check_fields(path, name, wanted)
        wanted.save(force_insert=True)
        templates.record([wanted], how.user, "Imported.")
        return Imported(name=name, outcome=Outcome.CREATED)
    return _changed(path, name, existing, _differences(existing, wanted, fields), how)


def _template(file: TemplateFile, how: How) -> Imported:
    existing = Template.objects.select_for_update(of=("self",)).filter(code=file.code).first()
    template = existing or _create(file, how)
    outcome = Outcome.UNCHANGED if existing else Outcome.CREATED
    details: tuple[str, ...] = ()
    if existing is not None:
        fields = _OF_STAFF if existing.shipped_hash else (*_OF_STAFF, *_CONTRACT)
        changed = _changed(file.path, file.code, existing, _differences(existing, _row(file), fields), how)
        outcome, details = changed.outcome, changed.details
    _check_words(file, template)
    written = _write(template, file, how)
    if written is None:
        return Imported(name=file.code, outcome=outcome, details=details)
    version, differences = written
    if existing is not None:
        outcome = Outcome.PUBLISHED if how.publish else Outcome.DRAFTED
    return Imported(name=file.code, outcome=outcome, number=version.number, details=(*differences, *details))


def _check_words(file: TemplateFile, template: Template) -> None:
    for content in file.contents:
        for problem in templates.problems_of(_content(content), template.variables):
            if problem.severity == "error":
                raise template_files.wrong_words(file, content, problem)


def _content(one: Content | TemplateContent) -> TemplateContent:
    """Return a wording as files say it: the line breaks around a text are those of the file."""
    body, html = one.body.strip("\n"), one.html.strip("\n")
    return TemplateContent(channel=one.channel, locale=one.locale, title=one.title, body=body, html=html)


def _row(file: TemplateFile) -> Template:
    return Template(
        code=file.code,
        name=file.name,
        description=file.description,
        category_id=file.category,
        priority=file.priority,
        variables=file.variables,
        escalation=file.escalation,
        digest=file.digest,
        still_valid=file.still_valid,
        actions=file.actions,
    )


def _create(file: TemplateFile, how: How) -> Template:
    template = _row(file)
    _check_fields(file.path, file.code, template)
    template.save(force_insert=True)
    templates.record([template], how.user, "Imported.")
    return template


def _write(template: Template, file: TemplateFile, how: How) -> tuple[TemplateVersion, tuple[str, ...]] | None:
    """Return the version that has the words now, and what is new about them; None: they are live already."""
    wanted = [_content(one) for one in file.contents]
    live = TemplateContent.objects.filter(version=template.live_version_id)
    differences = tuple(_words(live, wanted))
    if not differences:
        return None
    draft = template.versions.filter(published_at__isnull=True).first()
    if draft is not None and not how.replace_drafts and any(_words(draft.contents.all(), wanted)):
        raise TemplateFileError(
            f"{file.path}: {file.code} has a draft (v{draft.number}) with other words. Publish it or discard it first, "
            "or replace it: --replace-drafts."
        )
    if draft is not None and not any(_words(draft.contents.all(), wanted)):
        version = draft
    else:
        version = templates.write_draft(template, wanted, user=how.user, now=how.now)
        templates.record([version], how.user, "Imported.")
    if how.publish:
        templates.publish(version, user=how.user, now=how.now)
    return version, differences


def _words(old: Iterable[TemplateContent], new: Iterable[TemplateContent]) -> Iterator[str]:
    """Yield what differs, as `email, de: title, body` and `sms: new`."""
    for content in wording_diff.compare(map(_content, old), new):
        place = f"{content.row.channel}, {content.row.locale}" if content.row.locale else content.row.channel
        if content.kind in {"added", "removed"}:
            yield f"{place}: {'new' if content.kind == 'added' else 'taken out'}"
        elif changed := [field.name for field in content.fields if field.kind != "same"]:
            yield f"{place}: {', '.join(changed)}"


def _differences(existing: Any, wanted: Any, fields: Iterable[str]) -> dict[str, tuple[Any, Any]]:
    pairs = {name: (getattr(existing, name), getattr(wanted, name)) for name in fields}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _changed(path: Path, name: str, existing: Any, differences: dict[str, tuple[Any, Any]], how: How) -> Imported:
    """Take over what differs if it may be published; say what, either way."""
    said = tuple(
        f"{field.removesuffix('_id')}: {_named(field, old)} → {_named(field, new)}"
        for field, (old, new) in differences.items()
    )
    if not said:
        return Imported(name=name, outcome=Outcome.UNCHANGED)
    if not how.publish:
        left = tuple(f"{line} (left as it is; --publish takes it over)" for line in said)
        return Imported(name=name, outcome=Outcome.UNCHANGED, details=left)
    for field, (_old, new) in differences.items():
        setattr(existing, field, new)
    _check_fields(path, name, existing)
    existing.save(update_fields=list(differences))
    templates.record([existing], how.user, f"Imported: {'; '.join(said)}.")
    return Imported(name=name, outcome=Outcome.CHANGED, details=said)


def _named(field: str, value: Any) -> str:
    return Priority(value).name.lower() if field == "priority" else repr(value)


def _check_fields(path: Path, name: str, row: Any) -> None:
    try:
        row.clean_fields()
    except ValidationError as e:
        field, (message, *_others) = next(iter(e.message_dict.items()))
        raise TemplateFileError(f"{path}: {name}: {field}: {message}") from e
