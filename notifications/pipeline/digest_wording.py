"""What a digest says: its items' own titles and texts, filled into the wording of a digest template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from notifications import conf
from notifications.exceptions import RenderError
from notifications.models import Delivery, Event
from notifications.pipeline import facts, wording
from notifications.pipeline.rendering import render
from notifications.types import DeliveryState, Reason
from notifications.values import Action

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from notifications.models import Digest, Template
    from notifications.pipeline.facts import Wording
    from notifications.values import Content, Reader, Rendered

#: The template of a digest whose items name none.
DIGEST = "DIGEST"
#: Items whose words are told; of the rest, the number.
SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of one digest."""

    #: None: no item could be worded.
    delivery: Delivery | None
    told: list[Delivery]
    #: Items that nobody could word, and why.
    unworded: list[tuple[Delivery, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of all items."""

    events: Mapping[UUID, Event]
    contents: Mapping[int, tuple[Content, ...]]
    templates: Mapping[str, Template]
    live: Mapping[str, Wording]


def made_of(digests: Mapping[Digest, list[Delivery]], *, now: datetime) -> dict[Digest, Made]:
    """Return the delivery of each digest that has items left to tell: constant queries for all of them."""
    rows = [row for several in digests.values() for row in several]
    people = facts.recipients({str(digest.recipient_id) for digest in digests})
    templates = facts.templates_by_code(row.template_id for row in rows if row.template_id)
    known = _Known(
        events=Event.objects.in_bulk({row.event_id for row in rows if row.event_id}),
        contents=wording.contents_of(row.version_id for row in rows if row.version_id),
        templates=templates,
        live=facts.templates({DIGEST, *(_words_of(template) for template in templates.values())}),
    )
    return {
        digest: _made(digest, several, known, people[str(digest.recipient_id)].reader, now)
        for digest, several in digests.items()
        if several
    }


def _made(digest: Digest, rows: list[Delivery], known: _Known, reader: Reader, now: datetime) -> Made:
    items: list[dict[str, Any]] = []
    told: list[Delivery] = []
    unworded: list[tuple[Delivery, str]] = []
    for row in rows:
        try:
            if len(items) < SHOWN:
                items.append(_item(row, known, reader))
        except RenderError as e:
            unworded.append((row, str(e)))
        else:
            told.append(row)
    delivery = _delivery(digest, told, items, _live(told, known), reader, now) if told else None
    return Made(delivery=delivery, told=told, unworded=unworded)


def _delivery(
    digest: Digest,
    told: list[Delivery],
    items: list[dict[str, Any]],
    live: Wording | None,
    reader: Reader,
    now: datetime,
) -> Delivery:
    delivery = Delivery(
        recipient_id=digest.recipient_id,
        template=live.template if live else None,
        version_id=live.template.live_version_id if live else None,
        category_id=digest.category_id,
        channel=digest.channel,
        # The newest's: they may have moved.
        address=told[-1].address,
        priority=min(row.priority for row in told),
        created_at=now,
        due_at=now,
    )
    try:
        rendered = _render(live, digest, items, len(told), reader)
    except RenderError as e:
        delivery.state, delivery.finished_at = DeliveryState.FAILED, now
        delivery.reason, delivery.last_error = Reason.RENDER_ERROR, str(e)
    else:
        delivery.content = {"title": rendered.title, "body": rendered.body, "html": rendered.html}
    return delivery


def _words_of(template: Template) -> str:
    return template.digest.get("template") or DIGEST


def _live(rows: list[Delivery], known: _Known) -> Wording | None:
    """Return the wording that all items name, else the one for all digests."""
    named = {_words_of(known.templates[row.template_id or ""]) for row in rows}
    own = known.live.get(named.pop()) if len(named) == 1 else None
    return own or known.live.get(DIGEST)


def _render(live: Wording | None, digest: Digest, items: list[dict[str, Any]], count: int, reader: Reader) -> Rendered:
    if live is None:
        message = f"There is no template {DIGEST!r}: run manage.py seed_notification_templates."
        raise RenderError(message)
    content = wording.pick(live.contents, digest.channel, reader.locale)
    config, active = conf.current(), wording.language(content, reader.locale)
    with wording.manner(active, reader.time_zone or settings.TIME_ZONE):
        return render(
            content,
            variables={"items": items, "count": count, "more": max(count - len(items), 0)},
            recipient_name=reader.name,
            action=Action(),
            base_url=config.base_url,
            site_name=config.site_name,
            language=active,
            look=config.look,
        )


def _item(row: Delivery, known: _Known, reader: Reader) -> dict[str, Any]:
    """Return what a digest template may say of one item: its words in the inbox, or its own; raise `RenderError`."""
    event = known.events.get(row.event_id) if row.event_id else None
    if event is None or event.emptied_at is not None:
        message = "Its content is no longer kept."
        raise RenderError(message)
    title = row.notification.title if row.notification else ""
    body = row.notification.body if row.notification else ""
    if not title:
        content = wording.pick(known.contents.get(row.version_id or 0, ()), row.channel, reader.locale)
        own = wording.render_event(content, event, reader=reader)
        # A text message has no title.
        title, body = (own.title, own.body) if own.title else (own.body, "")
    return {
        "title": title,
        "body": body,
        "url": event.action_url,
        "at": row.created_at.isoformat(),
        "variables": event.variables,
    }
