"""What staff do with templates: draft, publish, discard, switch off. A published version is never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from notifications.exceptions import NotificationError
from notifications.models import Template, TemplateContent, TemplateVersion
from notifications.pipeline.rendering import Problem, check_content
from notifications.services import journal
from notifications.types import Channel
from notifications.values import Content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import Model, QuerySet

    from notifications.pipeline.rendering import Field


class NotADraft(NotificationError):
    """The version is published; it cannot be changed any more."""


class NotReady(NotificationError):
    """The wording cannot be published yet."""


class NotPublished(NotificationError):
    """The version was never live, or is live already; it cannot be made live again."""


@transaction.atomic
def draft_of(template: Template, *, user: AbstractBaseUser) -> TemplateVersion:
    """Return the draft of a template, or begin one as a copy of what is live: there is at most one."""
    # The lock: two people who press the button at once get the same draft.
    live_id = Template.objects.select_for_update().values_list("live_version", flat=True).get(pk=template.pk)
    draft = template.versions.filter(published_at__isnull=True).first()
    if draft is not None:
        return draft
    draft = _begin(template, user)
    contents = list(TemplateContent.objects.filter(version=live_id))
    for content in contents:
        content.pk, content.version = None, draft
    TemplateContent.objects.bulk_create(contents)
    return draft


@transaction.atomic
def write_draft(
    template: Template, contents: Collection[TemplateContent], *, user: AbstractBaseUser | None, now: datetime
) -> TemplateVersion:
    """Return the draft of a template, or begin one, with these words and no others; `contents` are not saved yet."""
    Template.objects.select_for_update().get(pk=template.pk)
    draft = template.versions.filter(published_at__isnull=True).first() or _begin(template, user)
    draft.contents.all().delete()
    for content in contents:
        content.version = draft
    TemplateContent.objects.bulk_create(contents)
    note_edit(draft, user=user, now=now)
    return draft


def note_edit(draft: TemplateVersion, *, user: AbstractBaseUser | None, now: datetime) -> None:
    """Remember who changed the words of a draft last, and when."""
    draft.edited_at, draft.edited_by_id = now, None if user is None else user.pk
    draft.save(update_fields=["edited_at", "edited_by"])


@transaction.atomic
def publish(version: TemplateVersion, *, user: AbstractBaseUser | None, now: datetime) -> None:
    """
    Make a draft the live version: new events are dispatched with it, what is under way keeps the words it has.

    Raise `NotReady` if nothing is written or something is wrong with it, `NotADraft` if it is published already.
    """
    template = Template.objects.select_for_update().get(pk=version.template_id)
    check_ready(version, template)
    num_updated = TemplateVersion.objects.filter(pk=version.pk, published_at__isnull=True).update(published_at=now)
    if num_updated != 1:
        raise NotADraft
    version.published_at = now
    template.live_version = version
    template.save(update_fields=["live_version"])
    record([template], user, f"Published v{version.number}.")


@transaction.atomic
def roll_back(template: Template, number: int, *, user: AbstractBaseUser) -> TemplateVersion:
    """
    Make a version live again that was live before; what is under way keeps the words it has.

    Raise `NotPublished` if there is no such version or it is live, `NotReady` if the template has other variables now
    and its words cannot be filled in with them.
    """
    locked = Template.objects.select_for_update().get(pk=template.pk)
    version = locked.versions.filter(number=number, published_at__isnull=False).first()
    if version is None or version.pk == locked.live_version_id:
        raise NotPublished
    check_ready(version, locked)
    replaced = f"v{locked.live_version.number}" if locked.live_version else "nothing"
    locked.live_version = version
    locked.save(update_fields=["live_version"])
    record([locked], user, f"Rolled back from {replaced} to v{number}.")
    return version


@transaction.atomic
def discard(version: TemplateVersion) -> None:
    """Delete a draft; raise `NotADraft` if it is published."""
    draft = TemplateVersion.objects.select_for_update().filter(pk=version.pk, published_at__isnull=True).first()
    if draft is None:
        raise NotADraft
    draft.delete()


@transaction.atomic
def disable(templates: Iterable[Template], *, user: AbstractBaseUser, now: datetime) -> int:
    """Switch templates off; return how many were on."""
    changed = list(_locked(templates).filter(disabled_at__isnull=True))
    Template.objects.filter(pk__in=changed).update(disabled_at=now)
    record(changed, user, "Disabled.")
    return len(changed)


@transaction.atomic
def enable(templates: Iterable[Template], *, user: AbstractBaseUser) -> int:
    """Switch templates on again; return how many were off."""
    changed = list(_locked(templates).filter(disabled_at__isnull=False))
    Template.objects.filter(pk__in=changed).update(disabled_at=None)
    record(changed, user, "Enabled.")
    return len(changed)


def check_ready(version: TemplateVersion, template: Template) -> None:
    """Raise `NotReady` unless a version has words, and all of them go with their channel and the variables."""
    contents = list(TemplateContent.objects.filter(version=version))
    if not contents:
        raise NotReady(_("Nothing is written yet: add the wording of at least one channel."))
    for content in contents:
        errors = [found for found in problems_of(content, template.variables) if found.severity == "error"]
        if errors:
            raise NotReady(f"{name_of(content)}: {worded(errors[0])}")


def problems_of(row: TemplateContent, declared: Collection[str]) -> list[Problem]:
    """Return what is wrong with a content, saved or not, whose template declares these variables."""
    content = Content(
        id=row.pk or 0, channel=row.channel, locale=row.locale, title=row.title, body=row.body, html=row.html
    )
    misfits = _misfits(content)
    fields = {problem.field for problem in misfits}
    return misfits + [found for found in check_content(content, declared) if found.field not in fields]


def name_of(row: TemplateContent) -> str:
    """Return what staff call a content: `e-mail, de`."""
    return f"{row.get_channel_display()}, {row.locale or _('any language')}"


def worded(problem: Problem) -> str:
    """Return a problem as staff read it, with its line."""
    if problem.line is None:
        return problem.message
    return _("Line %(line)s: %(message)s") % {"line": problem.line, "message": problem.message}


def record(rows: Iterable[Model], user: AbstractBaseUser | None, message: str) -> None:
    """Write what happened to rows into their history; without a user, who only rehearses, it is in none."""
    if user is not None:
        journal.record_all(user, rows, message)


def _begin(template: Template, user: AbstractBaseUser | None) -> TemplateVersion:
    last = template.versions.order_by("-number").values_list("number", flat=True).first() or 0
    draft = TemplateVersion(template=template, number=last + 1, origin=TemplateVersion.Origin.STAFF)
    draft.created_by_id = None if user is None else user.pk
    draft.save(force_insert=True)
    return draft


def _locked(templates: Iterable[Template]) -> QuerySet[Template]:
    return Template.objects.select_for_update().filter(pk__in=[template.pk for template in templates])


def _misfits(content: Content) -> list[Problem]:
    """Return the fields that do not go with the channel."""
    found = []
    if content.channel == Channel.IN_APP and not content.title.strip():
        found.append(_error_in("title", _("An inbox item needs a title.")))
    if content.channel == Channel.SMS and content.title.strip():
        found.append(_error_in("title", _("A text message has no title; write everything into the text.")))
    if content.channel != Channel.EMAIL and content.html.strip():
        found.append(_error_in("html", _("HTML is for e-mails only; delete it.")))
    return found


def _error_in(field: Field, message: str) -> Problem:
    return Problem(field=field, message=message, line=None, severity="error")
