"""Events and facts → what each event becomes. Constant queries for a whole batch; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notifications import ids
from notifications.exceptions import RenderError
from notifications.models import Delivery, Notification
from notifications.pipeline import facts, routing, wording
from notifications.pipeline.bulk import Blank
from notifications.pipeline.sharing import Wordings
from notifications.types import Channel, DeliveryState, EventState, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.models import Category, Event
    from notifications.pipeline.facts import Recipient, Wording
    from notifications.pipeline.routing import EventFacts, Route
    from notifications.values import Content


_NOTIFICATION, _DELIVERY = Blank(Notification), Blank(Delivery)


@dataclass(slots=True, kw_only=True)
class Told:
    """What one recipient gets of an event."""

    recipient: Recipient
    notification: Notification
    routes: list[Route]
    #: One for each route, in its order.
    deliveries: list[Delivery]


@dataclass(slots=True, kw_only=True)
class Planned:
    """What one event becomes."""

    event: Event
    facts: EventFacts
    category: Category
    state: EventState = EventState.DISPATCHED
    unknown_count: int = 0
    inactive_count: int = 0
    told: list[Told] = field(default_factory=list)


def plan_events(events: list[Event], *, now: datetime) -> list[Planned]:
    """Decide everything about a batch from a constant number of queries; write nothing."""
    live = facts.templates(event.template_id for event in events)
    people = facts.recipients((recipient for event in events for recipient in event.recipients), now=now)
    wordings = Wordings()
    with wording.house_style():
        return [_plan_event(event, live[event.template_id], people, wordings, now) for event in events]


def _plan_event(
    event: Event, live: Wording, people: dict[str, Recipient], wordings: Wordings, now: datetime
) -> Planned:
    planned = Planned(event=event, facts=facts.of_event(event, live), category=live.template.category)
    if event.expires_at is not None and event.expires_at <= now:
        planned.state = EventState.EXPIRED
        return planned
    for recipient_id in event.recipients:
        recipient = people.get(recipient_id)
        if recipient is None:
            planned.unknown_count += 1
            continue
        planned.inactive_count += not recipient.routing.is_active
        notification = _notification(event, live, recipient, now)
        routes = routing.plan(planned.facts, recipient.routing, now=now)
        told = Told(
            recipient=recipient,
            notification=notification,
            routes=routes,
            deliveries=[_delivery(event, notification, route, now) for route in routes],
        )
        _tell_in_app(event, live.contents, told, wordings, now)
        planned.told.append(told)
    return planned


def _notification(event: Event, live: Wording, recipient: Recipient, now: datetime) -> Notification:
    pk = ids.uuid7()
    return _NOTIFICATION.filled_in(
        id=pk,
        # Its place is where it came in, until it is snoozed.
        sort_key=pk,
        event_id=event.pk,
        recipient_id=recipient.pk,
        template_id=event.template_id,
        version_id=live.template.live_version_id,
        category_id=live.template.category_id,
        about=event.about,
        action_url=event.action_url,
        action_text=event.action_text,
        actions=[{"name": name, "run_at": None, "result": ""} for name in live.template.actions],
        priority=event.priority,
        created_at=now,
    )


def _delivery(event: Event, notification: Notification, route: Route, now: datetime) -> Delivery:
    return _DELIVERY.filled_in(
        event_id=event.pk,
        notification_id=notification.pk,
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


def _tell_in_app(event: Event, contents: tuple[Content, ...], told: Told, wordings: Wordings, now: datetime) -> None:
    """Put the words onto the inbox row and list it; in-app is sent by the transaction that writes it."""
    in_app = next((row for row in told.deliveries if row.channel == Channel.IN_APP), None)
    if in_app is None or in_app.state != DeliveryState.SENT:
        return
    try:
        content = wordings.pick(contents, Channel.IN_APP, told.recipient.locale)
        rendered = wordings.render(event, content, told.recipient.reader)
    except RenderError as e:
        in_app.state, in_app.sent_at = DeliveryState.FAILED, None
        in_app.reason, in_app.last_error = Reason.RENDER_ERROR, str(e)
        return
    told.notification.title, told.notification.body = rendered.title, rendered.body
    told.notification.listed_at = now
