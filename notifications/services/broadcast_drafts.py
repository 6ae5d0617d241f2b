"""What staff do with a broadcast before it is one: write it, choose whom, start it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from notifications import registry
from notifications.exceptions import NotificationError, RenderError
from notifications.models import Broadcast, BroadcastDraft, Event, Template
from notifications.pipeline import drafting, outbox, wording
from notifications.services import journal
from notifications.types import Source
from notifications.values import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.contrib.auth.base_user import AbstractBaseUser

    from notifications.pipeline.drafting import Draft
    from notifications.values import Content, Rendered

#: From so many on, whoever starts it types the number.
CONFIRM_FROM = 100

#: The columns of a draft that nobody has counted.
UNCOUNTED: dict[str, Any] = {"tally": {}, "count_cursor": "", "count_end": "", "counted_at": None}


class NotReady(NotificationError):
    """The broadcast cannot be started yet. `field`: which part of the request is at fault; empty: none alone."""

    def __init__(self, message: str | None = None, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def begin(template: Template, *, by: AbstractBaseUser, now: datetime) -> BroadcastDraft:
    """Begin a broadcast with a published template."""
    with transaction.atomic():
        draft = BroadcastDraft.objects.create(
            created_at=now, created_by_id=by.pk, template=template, priority=template.priority
        )
        journal.record(by, draft, "Began a broadcast.")
    return draft


def write(
    draft: BroadcastDraft,
    *,
    variables: dict[str, Any],
    priority: int,
    channels: list[str] | None,
    by: AbstractBaseUser,
    now: datetime,
) -> None:
    """Say what is sent; raise the `PublishError` that names what is wrong with it. A count of before is forgotten."""
    said: dict[str, Any] = {"variables": variables, "priority": priority, "channels": channels}
    drafting.draft(draft.template_id, now=now, **said)
    _change(draft, said, by=by)


def address(
    draft: BroadcastDraft, *, audience: str = "", recipients: list[str] | None = None, by: AbstractBaseUser
) -> None:
    """Say to whom: a named audience, or primary keys as text. A count of before is forgotten."""
    if recipients is None:
        registry.audience_named(audience)
    _change(draft, {"audience": audience, "recipients": recipients}, by=by)


def checked(draft: BroadcastDraft, *, now: datetime, send_at: datetime | None = None, key: str | None = None) -> Draft:
    """Return what would be published; raise the `PublishError` that names what is wrong."""
    return drafting.draft(
        draft.template_id,
        now=now,
        variables=draft.variables,
        priority=draft.priority,
        channels=draft.channels,
        send_at=send_at,
        source=Source.ADMIN,
        idempotency_key=key,
    )


def start(
    pk: Any,
    *,
    by: AbstractBaseUser,
    now: datetime,
    revision: int,
    send_at: datetime | None = None,
    canary_percent: int | None = None,
    confirmed: int | None = None,
) -> Broadcast:
    """
    Make it a broadcast, once: whoever is second gets the same one. `revision`: of the draft that was looked at.

    Raises `NotReady` if it was not counted, was changed meanwhile, reaches nobody, lies in the past or `confirmed` is
    not the number of recipients.
    """
    with transaction.atomic():
        # Locked: a button that is pressed twice makes one broadcast.
        draft = BroadcastDraft.objects.select_for_update().get(pk=pk)
        if draft.broadcast_id is not None:
            return Broadcast.objects.get(pk=draft.broadcast_id)
        _check_ready(draft, revision=revision, send_at=send_at, now=now, confirmed=confirmed)
        drafted = checked(draft, now=now, send_at=send_at, key=f"broadcast-draft:{draft.pk}")
        batch = outbox.insert_audience(
            drafted, draft.audience, recipients=draft.recipients, canary_percent=canary_percent, started_by=by
        )
        assert batch.broadcast_id is not None
        broadcast = Broadcast.objects.get(pk=batch.broadcast_id)
        # The broadcast has it, and clears it away when it is done.
        draft.broadcast, draft.variables = broadcast, {}
        draft.recipients = None if draft.recipients is None else []
        draft.save(update_fields=["broadcast", "variables", "recipients"])
        number = draft.tally["recipients"]
        changes = {"recipients": ("", number), "due at": ("", drafted.due_at.isoformat(timespec="seconds"))}
        if canary_percent:
            changes["first"] = ("", f"{canary_percent} %")
        journal.record(by, broadcast, "Started the broadcast.", changes=changes)
    return broadcast


def discard(draft: BroadcastDraft, *, by: AbstractBaseUser) -> bool:
    """Forget a draft; False: it was started meanwhile."""
    with transaction.atomic():
        locked = BroadcastDraft.objects.select_for_update().filter(pk=draft.pk, broadcast__isnull=True).first()
        if locked is None:
            return False
        journal.record(by, locked, "Discarded the draft of a broadcast.")
        locked.delete()
    return True


def channels_of(template: Template) -> list[str]:
    """Return the channels that the live wording has words for, and that are set up here."""
    worded = {content.channel for content in _contents(template)}
    return [name for name in registry.channel_names() if name in worded]


def previews(draft: BroadcastDraft) -> Iterator[tuple[Content, Rendered | None, str]]:
    """
    Yield each content of the channels chosen, rendered with what was written, and the error if it cannot be.

    As its author would read it.
    """
    name = draft.created_by.get_full_name() or draft.created_by.get_username()
    event = Event(template=draft.template, variables=draft.variables)
    for content in _contents(draft.template):
        if draft.channels is not None and content.channel not in draft.channels:
            continue
        try:
            yield content, wording.render_event(content, event, reader=Reader(name=name, locale=content.locale)), ""
        except RenderError as e:
            yield content, None, str(e)


def _contents(template: Template) -> tuple[Content, ...]:
    version = template.live_version_id
    return () if version is None else wording.contents_of([version])[version]


def _change(draft: BroadcastDraft, said: dict[str, Any], *, by: AbstractBaseUser) -> None:
    with transaction.atomic():
        locked = BroadcastDraft.objects.select_for_update().get(pk=draft.pk)
        if locked.broadcast_id is not None:
            raise NotReady(_("This broadcast was started already; begin another one."))
        before = {name: getattr(locked, name) for name in said}
        changes = {name: (_shown(before[name]), _shown(value)) for name, value in said.items() if before[name] != value}
        if not changes:
            return
        fields = {**said, **UNCOUNTED}
        fields["revision"] = locked.revision + 1
        BroadcastDraft.objects.filter(pk=draft.pk).update(**fields)
        journal.record(by, draft, "Changed the draft of a broadcast.", changes=changes)
    for name, value in fields.items():
        setattr(draft, name, value)


def _shown(value: Any) -> Any:
    """Return a value for the journal: of a list of people, how many; of variables, nothing but their names."""
    if isinstance(value, list):
        return len(value) if len(value) > len(registry.channel_names()) else ", ".join(map(str, value))
    return ", ".join(value) if isinstance(value, dict) else value


def _check_ready(
    draft: BroadcastDraft, *, revision: int, send_at: datetime | None, now: datetime, confirmed: int | None
) -> None:
    if draft.counted_at is None or draft.revision != revision:
        raise NotReady(_("It was changed, or is not counted to the end. Look at the numbers again."))
    number = draft.tally["recipients"]
    if not number:
        raise NotReady(_("There is nobody to tell."))
    if send_at is not None and send_at <= now:
        raise NotReady(_("This time has passed. Choose one that is to come, or send it now."), field="send_at")
    if number >= CONFIRM_FROM and confirmed != number:
        meant = _("Type %(number)s, the number of recipients, to confirm it.") % {"number": number}
        raise NotReady(meant, field="confirmed")
