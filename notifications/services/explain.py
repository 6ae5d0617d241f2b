"""Why somebody got something, or did not: from what is on record, and from the planner asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifications.models import Event
from notifications.pipeline import facts, wording
from notifications.pipeline.quiet_hours import time_zone
from notifications.services import recorded, reevaluated
from notifications.services.explanation import Explanation
from notifications.services.recorded import Subject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from notifications.models import Notification, Template
    from notifications.types import Priority


def explain(
    recipient: Any,
    template: str,
    about: str = "",
    *,
    now: datetime,
    channels: Sequence[str] | None = None,
    priority: Priority | None = None,
) -> Explanation:
    """
    Tell what became of a template for a user, about one object or any; also for those who have no row at all.

    What is re-evaluated is an event like the latest one on record, or else with the template's samples; `channels` and
    `priority` take the place of its own. Raise `UnknownTemplate` naming the one probably meant.
    """
    wording.contract(template)
    row = facts.templates_by_code([template])[template]
    subject = _subject(recipient, template, about)
    events = recorded.events_of(subject)
    event = _event_now(row, subject, events.latest, now)
    if channels is not None:
        event.channels = list(channels)
    if priority is not None:
        event.priority = priority
    return Explanation(
        lines=(
            *recorded.of_subject(subject, events, now=now),
            reevaluated.origin(events.latest, zone=subject.zone),
            *reevaluated.of_event(event, recipient, zone=subject.zone, now=now),
        )
    )


def of_notification(notification: Notification, *, now: datetime) -> Explanation:
    """Tell what became of one inbox item: by which channels it went out, or why not."""
    subject = _subject(notification.recipient, notification.template_id, notification.about)
    deliveries = recorded.of_notification(notification, zone=subject.zone)
    waiting = {line.channel for line in deliveries if line.state == "pending"}
    return Explanation(
        lines=(*deliveries, *reevaluated.pauses(notification.template_id, sorted(waiting), now=now))
        if waiting
        else tuple(deliveries)
    )


def _subject(recipient: Any, template: str, about: str) -> Subject:
    (person,) = facts.recipients([str(recipient.pk)]).values()
    return Subject(recipient=recipient, template=template, about=about, zone=time_zone(person.routing.time_zone))


def _event_now(template: Template, subject: Subject, latest: Event | None, now: datetime) -> Event:
    """Return an event as it would be published now, which is not stored."""
    event = Event(
        template_id=template.code,
        about=subject.about,
        recipients=[str(subject.recipient.pk)],
        priority=template.priority,
        variables=template.sample(),
        created_at=now,
        due_at=now,
    )
    if latest is not None:
        for name in ("about", "priority", "channels", "digest_key"):
            setattr(event, name, getattr(latest, name))
        if latest.emptied_at is None:
            event.variables = latest.variables
    return event
