"""Claimed deliveries → messages: in whose words, and whether each is still meant to go out now. Constant queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from notifications.exceptions import RenderError
from notifications.models import Event, Notification
from notifications.models.endpoints import REGISTERED
from notifications.pipeline import bulk, endpoints, facts, links, routing, suppressing, ways_out, wording
from notifications.pipeline.links import Link, Pages
from notifications.pipeline.sharing import Wordings
from notifications.types import Channel, DeliveryState, Priority, Reason
from notifications.values import Action, Message, Rendered, WaysOut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from uuid import UUID

    from notifications.models import Category, Delivery, Endpoint, Template
    from notifications.pipeline.facts import Recipient
    from notifications.pipeline.routing import EventFacts
    from notifications.values import Content


#: What is asked of the event of a delivery.
_OF_EVENTS = (
    "template_id", "variables", "action_url", "action_text", "about", "created_at", "cancelled_at", "emptied_at",
    "broadcast_id",
)  # fmt: skip


_NO_WAY = WaysOut()


class NotNow(Exception):
    """A claimed delivery that must not go out: at all, or (with `due_at`) before then."""

    def __init__(
        self, state: DeliveryState, reason: Reason, detail: str = "", *, due_at: datetime | None = None
    ) -> None:
        super().__init__(reason)
        self.state, self.reason, self.detail, self.due_at = state, reason, detail, due_at


@dataclass(slots=True, kw_only=True)
class _Known:
    """What is known of one delivery beside its row."""

    event: Event | None
    template: Template | None
    category: Category | None
    contents: tuple[Content, ...]
    recipient: Recipient | None
    #: Notifications that were read in the app.
    read: frozenset[UUID]
    #: Asks the guard of the template, once for each event.
    ask: Callable[[Template, Event], bool]
    wordings: Wordings
    #: What the planner was told of an event, by all it consists of; shared by the batch.
    planned: dict[tuple[Any, ...], EventFacts]
    #: Where a delivery by push, chat or webhook goes; None: it is gone, or somebody else's.
    endpoint: Endpoint | None
    #: Its address must not be used.
    is_suppressed: bool
    pages: Pages

    def is_valid(self) -> bool:
        """Tell whether what was said is still true; raise `NotNow` if nobody can tell."""
        if self.template is None or self.event is None:
            return True
        try:
            return self.ask(self.template, self.event)
        except Exception as e:
            # Business code: its error is that of this delivery, and of no other.
            raise NotNow(DeliveryState.FAILED, Reason.GUARD_ERROR, f"{type(e).__name__}: {e}"[:1000]) from e


def compose(rows: Iterable[Delivery], *, now: datetime) -> list[tuple[Delivery, Message | NotNow]]:
    """Return each delivery with its message, or with why there is none."""
    rows = list(rows)
    pks = {row.event_id for row in rows if row.event_id is not None}
    found = Event.objects.filter(pk__in=bulk.among(Event._meta.pk, pks)).order_by()
    events = {event.pk: event for event in bulk.fetch(found, _OF_EVENTS)}
    contents = wording.contents_of(row.version_id for row in rows if row.version_id is not None)
    people = facts.recipients(str(row.recipient_id) for row in rows if row.recipient_id is not None)
    templates = facts.templates_by_code(row.template_id for row in rows if row.template_id is not None)
    categories = {template.category_id: template.category for template in templates.values()}
    # That of a digest is not that of its template.
    categories |= facts.categories_by_code({row.category_id for row in rows if row.category_id} - categories.keys())
    read, ask, wordings = _read(rows), _asking(), Wordings()
    registered = endpoints.of_deliveries(rows)
    suppressed = suppressing.suppressed(((row.channel, row.address) for row in rows), now=now)
    planned: dict[tuple[Any, ...], EventFacts] = {}
    pages = links.pages()

    def known_of(row: Delivery) -> _Known:
        endpoint = registered.get(row.address)
        return _Known(
            event=events.get(row.event_id) if row.event_id else None,
            template=templates.get(row.template_id) if row.template_id else None,
            category=categories.get(row.category_id) if row.category_id else None,
            contents=contents.get(row.version_id, ()) if row.version_id else (),
            recipient=people.get(str(row.recipient_id)),
            read=read,
            ask=ask,
            wordings=wordings,
            # A browser may have been taken over by somebody else, who must not read this.
            endpoint=endpoint if endpoint and endpoint.recipient_id == row.recipient_id else None,
            is_suppressed=(row.channel, row.address) in suppressed,
            planned=planned,
            pages=pages,
        )

    with wording.house_style():
        return [(row, _message_or_not(row, known_of(row), now)) for row in rows]


def _message_or_not(row: Delivery, known: _Known, now: datetime) -> Message | NotNow:
    try:
        return _message(row, known, now)
    except NotNow as e:
        return e


def _asking() -> Callable[[Template, Event], bool]:
    """Return a function that asks guards, and remembers the answers of this batch."""
    answers: dict[UUID, bool] = {}

    def ask(template: Template, event: Event) -> bool:
        if event.pk not in answers:
            answers[event.pk] = facts.still_valid(template, event)
        return answers[event.pk]

    return ask


def _read(rows: list[Delivery]) -> frozenset[UUID]:
    """Return the notifications of escalated deliveries that were read, or put away, in the meantime."""
    escalated = [row.notification_id for row in rows if row.reason == Reason.ESCALATION]
    if not escalated:
        return frozenset()
    read = Notification.objects.filter(pk__in=escalated, read_at__isnull=False)
    return frozenset(read.values_list("pk", flat=True))


def _message(row: Delivery, known: _Known, now: datetime) -> Message:
    event = known.event
    if event is not None and event.cancelled_at is not None:
        raise NotNow(DeliveryState.CANCELLED, Reason.EVENT_CANCELLED)
    if row.expires_at is not None and row.expires_at <= now:
        raise NotNow(DeliveryState.EXPIRED, Reason.EXPIRED)
    _check_wanted(row, known, now)
    _check_address(row, known)
    out = _ways_out(row, known)
    return Message(
        delivery_id=row.pk,
        channel=row.channel,
        address=row.address,
        priority=Priority(row.priority),
        rendered=_with_ways_out(_rendered(row, known), out, known),
        action=Action(url=event.action_url, text=event.action_text) if event is not None else Action(),
        category=row.category_id or "",
        template=row.template_id or "",
        notification_id=row.notification_id,
        expires_at=row.expires_at,
        endpoint=known.endpoint.address if known.endpoint else None,
        unsubscribe_url=out.unsubscribe_url,
        preferences_url=out.preferences_url,
    )


def _check_wanted(row: Delivery, known: _Known, now: datetime) -> None:
    """Ask the planner once more: hours may have passed, and the recipient may have changed their mind or their zone."""
    if row.is_test or known.template is None or known.category is None or known.recipient is None:
        # A test goes to whoever asked for it, whatever they have chosen, at any hour.
        return
    about, is_valid = known.event.about if known.event else "", known.is_valid()
    asked = (row.template_id, row.category_id, row.channel, row.priority, about, is_valid)
    event = known.planned.get(asked)
    if event is None:
        event = facts.of_delivery(row, known.template, known.category, about=about, is_valid=is_valid)
        known.planned[asked] = event
    recipient = known.recipient.routing
    if reason := routing.no_longer(event, recipient, row.channel, now=now):
        raise NotNow(DeliveryState.SUPPRESSED, reason)
    if row.reason == Reason.ESCALATION and row.notification_id in known.read:
        raise NotNow(DeliveryState.CANCELLED, Reason.READ)
    if later := routing.quiet_until(event, recipient, row.channel, now=now):
        # What is escalated stays so: read in the meantime, it is not sent.
        reason = Reason.ESCALATION if row.reason == Reason.ESCALATION else Reason.QUIET_HOURS
        raise NotNow(DeliveryState.PENDING, reason, due_at=later)


def _check_address(row: Delivery, known: _Known) -> None:
    """Look once more whether it can still be sent there: also what is required, and what nobody planned."""
    if row.channel in REGISTERED and row.address and known.endpoint is None:
        raise NotNow(DeliveryState.SUPPRESSED, Reason.ENDPOINT_GONE)
    if known.is_suppressed:
        raise NotNow(DeliveryState.SUPPRESSED, Reason.SUPPRESSED_ADDRESS)


def _ways_out(row: Delivery, known: _Known) -> WaysOut:
    """Return the links of who and what can be unsubscribed: not from what is required, not who has no account."""
    if row.channel != Channel.EMAIL or known.recipient is None or known.category is None or known.category.required:
        return _NO_WAY
    return known.pages.ways_out(
        Link(recipient=str(known.recipient.pk), category=known.category.code, channel=row.channel).token
    )


def _with_ways_out(rendered: Rendered, out: WaysOut, known: _Known) -> Rendered:
    if out == _NO_WAY:
        return rendered
    reader = known.recipient.reader if known.recipient else wording.NOBODY
    language = reader.locale or settings.LANGUAGE_CODE
    with wording.manner(language, reader.time_zone or settings.TIME_ZONE):
        return ways_out.added(rendered, out, language=language)


def _rendered(row: Delivery, known: _Known) -> Rendered:
    """Return the words: of the version it was planned with, or its own where it was not planned."""
    if row.content is not None:
        return Rendered(
            title=row.content.get("title", ""), body=row.content.get("body", ""), html=row.content.get("html", "")
        )
    event, recipient = known.event, known.recipient
    if event is None or event.emptied_at is not None:
        raise NotNow(DeliveryState.FAILED, Reason.CONTENT_GONE)
    try:
        content = known.wordings.pick(known.contents, row.channel, recipient.locale if recipient else "")
        return known.wordings.render(event, content, recipient.reader if recipient else wording.NOBODY)
    except RenderError as e:
        raise NotNow(DeliveryState.FAILED, Reason.RENDER_ERROR, str(e)) from e
