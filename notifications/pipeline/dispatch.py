"""Events → notifications and deliveries: claim a batch, gather facts, plan, write everything in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from notifications import clock, conf, signals, wakeups
from notifications.exceptions import RenderError
from notifications.models import Delivery, Event, Notification
from notifications.pipeline import claiming, facts, pausing, routing, wording
from notifications.pipeline.rendering import names_used
from notifications.types import Channel, DeliveryState, EventState, Priority, Reason, Rendered

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from notifications.pipeline.claiming import Claim
    from notifications.pipeline.facts import Recipient, Wording
    from notifications.pipeline.routing import Route
    from notifications.types import Content


@dataclass(slots=True, kw_only=True)
class Planned:
    """What one event becomes."""

    event: Event
    state: EventState
    unknown_count: int = 0
    inactive_count: int = 0
    notifications: list[Notification] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)


def dispatch_batch(priority: Priority, *, more: Callable[[], None]) -> int:
    """Dispatch a batch of due events of this priority and above; return how many were claimed."""
    config, now = conf.current(), clock.now()
    held = pausing.current(now)
    if held.everything:
        return 0
    levels = [level for level in Priority if level <= priority]
    claim = claiming.claim(
        Event,
        priorities=levels,
        now=now,
        lease=config.lease_time,
        limit=config.dispatch_batch,
        templates_held=held.templates,
        broadcasts_held=held.broadcasts,
    )
    if claim.full:
        more()
    if claim.rows:
        _dispatch(claim)
    return len(claim.rows)


def _dispatch(claim: Claim[Event]) -> None:
    """Dispatch the batch; if that raises, each event alone, so that the one that cannot be done fails alone."""
    try:
        _write(plan_events(claim.rows, now=clock.now()), claim.token)
    except (OperationalError, InterfaceError):
        # The database's trouble, not the events': the lease frees them.
        raise
    except Exception as e:  # noqa: BLE001 - the edge: one event's error must not keep its neighbours
        if len(claim.rows) > 1:
            for event in claim.rows:
                _dispatch(claiming.Claim(token=claim.token, rows=[event], full=False))
            return
        _fail(claim.rows[0], claim.token, e)


def plan_events(events: list[Event], *, now: datetime) -> list[Planned]:
    """Decide everything about a batch from a constant number of queries; write nothing."""
    live = facts.templates(event.template_id for event in events)
    people = facts.recipients(recipient for event in events for recipient in event.recipients)
    return [_plan_event(event, live[event.template_id], people, now) for event in events]


def _plan_event(event: Event, live: Wording, people: dict[str, Recipient], now: datetime) -> Planned:
    if event.expires_at is not None and event.expires_at <= now:
        return Planned(event=event, state=EventState.EXPIRED)
    planned = Planned(event=event, state=EventState.DISPATCHED)
    event_facts = facts.of_event(event, live)
    wordings = _Wordings(event, live.contents)
    for recipient_id in event.recipients:
        recipient = people.get(recipient_id)
        if recipient is None:
            planned.unknown_count += 1
            continue
        planned.inactive_count += not recipient.routing.is_active
        routes = routing.plan(event_facts, recipient.routing, now=now)
        notification = _notification(event, live, recipient, now)
        planned.notifications.append(notification)
        planned.deliveries += [_delivery(event, notification, route, now) for route in routes]
        _tell_in_app(notification, planned.deliveries[-len(routes) :] if routes else [], wordings, recipient, now)
    return planned


def _notification(event: Event, live: Wording, recipient: Recipient, now: datetime) -> Notification:
    return Notification(
        event_id=event.pk,
        recipient_id=recipient.pk,
        template_id=event.template_id,
        version_id=live.template.live_version_id,
        category_id=live.template.category_id,
        about=event.about,
        action_url=event.action_url,
        action_text=event.action_text,
        priority=event.priority,
        created_at=now,
    )


def _delivery(event: Event, notification: Notification, route: Route, now: datetime) -> Delivery:
    return Delivery(
        event_id=event.pk,
        notification=notification,
        recipient_id=notification.recipient_id,
        template_id=notification.template_id,
        version_id=notification.version_id,
        category_id=notification.category_id,
        broadcast_id=event.broadcast_id,
        channel=route.channel,
        address=route.address,
        priority=event.priority,
        state=route.state,
        reason=route.reason or "",
        created_at=now,
        due_at=route.due_at,
        expires_at=event.expires_at,
        sent_at=now if route.state == DeliveryState.SENT else None,
        finished_at=None if route.state == DeliveryState.PENDING else now,
    )


def _tell_in_app(
    notification: Notification, deliveries: list[Delivery], wordings: _Wordings, recipient: Recipient, now: datetime
) -> None:
    """Put the words onto the inbox row and list it; in-app is sent by this transaction itself."""
    in_app = next((row for row in deliveries if row.channel == Channel.IN_APP), None)
    if in_app is None or in_app.state != DeliveryState.SENT:
        return
    try:
        rendered = wordings.render(Channel.IN_APP, recipient)
    except RenderError as e:
        in_app.state, in_app.sent_at = DeliveryState.FAILED, None
        in_app.reason, in_app.last_error = Reason.RENDER_ERROR, str(e)
        return
    notification.title, notification.body = rendered.title, rendered.body
    notification.listed_at = now


class _Wordings:
    """Renderings of one event, made once for all recipients whom the words do not name."""

    def __init__(self, event: Event, contents: tuple[Content, ...]) -> None:
        self._event = event
        self._contents = contents
        #: (content, language) → rendering: a content for any language still writes numbers and dates in the reader's.
        self._shared: dict[tuple[int, str], Rendered] = {}

    def render(self, channel: str, recipient: Recipient) -> Rendered:
        content = wording.pick(self._contents, channel, recipient.locale)
        key = (content.id, wording.language(content, recipient.locale))
        if key in self._shared:
            return self._shared[key]
        rendered = wording.render_event(content, self._event, name=recipient.name, locale=recipient.locale)
        if "recipient_name" not in names_used(content):
            self._shared[key] = rendered
        return rendered


def _write(batch: list[Planned], token: UUID) -> None:
    """Write a planned batch in one transaction, less the events that were cancelled or taken over meanwhile."""
    with transaction.atomic():
        ours = set(claiming.held(Event, [planned.event.pk for planned in batch], token).values_list("pk", flat=True))
        kept = [planned for planned in batch if planned.event.pk in ours]
        notifications = [row for planned in kept for row in planned.notifications]
        deliveries = [row for planned in kept for row in planned.deliveries]
        Notification.objects.bulk_create(notifications)
        Delivery.objects.bulk_create(deliveries)
        _close(kept)
        waiting = {(row.channel, row.due_at) for row in deliveries if row.state == DeliveryState.PENDING}
        for channel, due_at in waiting:
            ring = partial(wakeups.ring, wakeups.deliver_actor(channel), due_at)
            transaction.on_commit(ring, robust=True)
    signals.events_dispatched.send(Event, events=len(kept), notifications=len(notifications), planned=len(deliveries))


def _close(kept: list[Planned]) -> None:
    for planned in kept:
        event = planned.event
        event.state, event.finished_at = planned.state, clock.now()
        event.recipient_count = len(event.recipients) + event.duplicate_count
        event.unknown_count, event.inactive_count = planned.unknown_count, planned.inactive_count
        event.planned_count = len(planned.deliveries)
        event.lease_token = event.lease_until = None
        event.claims = 0
    fields = [
        "state", "finished_at", "recipient_count", "unknown_count", "inactive_count", "planned_count", "lease_token",
        "lease_until", "claims",
    ]  # fmt: skip
    Event.objects.bulk_update([planned.event for planned in kept], fields)


def _fail(event: Event, token: UUID, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}"[:1000]
    if claiming.settle(Event, event.pk, token, now=clock.now(), state=EventState.FAILED, last_error=text):
        signals.event_failed.send(Event, event_id=event.pk, error=error)
