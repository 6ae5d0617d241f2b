"""
What a recipient wants: which category or template, by which channel, how often; what is muted; when all is quiet.

Every function takes the user first. Whoever changes something says where and who; the change and its line in the
consent history are one transaction. What changes nothing leaves no line.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from notifications.exceptions import WrongPreference
from notifications.models import Category, ConsentChange, Delivery, Mute, Preference, RecipientSettings, Template
from notifications.pipeline import facts, routing
from notifications.pipeline.cadences import DAYS
from notifications.pipeline.quiet_hours import QuietHours, time_zone
from notifications.registry import channel_names, did_you_mean
from notifications.types import Cadence, Channel, DeliveryState, Level, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.types import ConsentSource


#: Characters of the name of an object.
MAX_ABOUT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a change comes from."""

    source: ConsentSource
    #: The user who did it; None: nobody was logged in.
    by: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What holds for one category, or one template of it, and one channel."""

    category: str
    #: Empty: the whole category.
    template: str
    channel: str
    cadence: Cadence
    #: Who decided.
    level: Level
    #: The recipient cannot change it.
    is_locked: bool


def matrix(recipient: Any) -> list[Cell]:
    """Return what holds for every category, and for every template the recipient has a wish of their own for."""
    (person,) = facts.recipients([str(recipient.pk)]).values()
    cells = [
        _cell(category, "", channel, person.routing)
        for category in Category.objects.order_by("code")
        for channel in channel_names()
    ]
    own = {code for code, _ in person.routing.by_template}
    templates = Template.objects.filter(code__in=own).select_related("category").order_by("code")
    return cells + [
        _cell(template.category, template.code, channel, person.routing)
        for template in templates
        for channel in channel_names()
    ]


def set_cadence(
    recipient: Any,
    *,
    channel: str,
    cadence: str | None,
    category: str = "",
    template: str = "",
    now: datetime,
    origin: Origin,
) -> bool:
    """
    Write a wish for a category or for a template; None takes it back. Return whether anything changed.

    Raise `WrongPreference` for what there is not, and for switching off a required category.
    """
    wished = _checked(channel, cadence, category, template)
    key = {"category_id": category} if category else {"template_id": template}
    with transaction.atomic():
        mine = Preference.objects.filter(recipient=recipient, channel=channel, **key)
        before = mine.select_for_update().first()
        if (before.cadence if before else None) == wished:
            return False
        if wished is None:
            mine.delete()
        else:
            values = {"recipient": recipient, "channel": channel, **key}
            Preference.objects.update_or_create(**values, defaults={"cadence": wished})
        subject = f"category:{category}" if category else f"template:{template}"
        _note(recipient, subject, before.cadence if before else "", wished or "", channel, now=now, origin=origin)
    return True


def mute(recipient: Any, about: str, *, until: datetime | None = None, now: datetime, origin: Origin) -> bool:
    """Tell the recipient nothing more about an object, until an instant or for ever; False: it was so already."""
    if not about or len(about) > MAX_ABOUT:
        raise WrongPreference(f"{about[:50]!r} is no object to mute; pass it as events name it: orders.order:42.")
    if until is not None and until <= now:
        raise WrongPreference(f"The mute would end at {until.isoformat()}, which is over; pass a later instant.")
    with transaction.atomic():
        before = Mute.objects.select_for_update().filter(recipient=recipient, about=about).first()
        if before is not None and before.until == until:
            return False
        values = {"until": until, "created_at": now}
        Mute.objects.update_or_create(recipient=recipient, about=about, defaults=values)
        _note(recipient, f"about:{about}", _muted(before), _end(until), now=now, origin=origin)
    return True


def unmute(recipient: Any, about: str, *, now: datetime, origin: Origin) -> bool:
    """Tell the recipient about an object again; False: it was not muted."""
    with transaction.atomic():
        before = Mute.objects.select_for_update().filter(recipient=recipient, about=about).first()
        if before is None:
            return False
        before.delete()
        _note(recipient, f"about:{about}", _muted(before), "", now=now, origin=origin)
    return True


def set_quiet_hours(recipient: Any, hours: Any, *, now: datetime, origin: Origin) -> bool:
    """
    Write the quiet hours, as `QuietHours.from_json` reads them; {} for none. Return whether anything changed.

    Raise `WrongPreference` for what they cannot be. What waits for the end of the former ones is looked at again.
    """
    try:
        written = QuietHours.from_json(hours).to_json() if hours else {}
    except ValueError as e:
        raise WrongPreference(str(e)) from e
    return _set(recipient, "quiet_hours", written, now=now, origin=origin)


def set_time_zone(recipient: Any, zone: str, *, now: datetime, origin: Origin) -> bool:
    """Write the time zone, an IANA name; empty: the site's. Return whether anything changed."""
    try:
        name = time_zone(zone).key if zone else ""
    except ValueError as e:
        raise WrongPreference(str(e)) from e
    return _set(recipient, "time_zone", name, now=now, origin=origin)


def _cell(category: Category, template: str, channel: str, person: routing.RecipientFacts) -> Cell:
    channels = frozenset({channel})
    event = routing.EventFacts(
        template=template,
        is_disabled=False,
        channels=None,
        worded=channels,
        configured=channels,
        **facts.of_category(category),
    )
    wish = routing.wish(event, person, channel)
    return Cell(
        category=category.code,
        template=template,
        channel=channel,
        cadence=wish.cadence,
        level=wish.level,
        is_locked=wish.level == Level.REQUIRED,
    )


def _checked(channel: str, cadence: str | None, category: str, template: str) -> Cadence | None:
    """Return the cadence; raise `WrongPreference` naming what is wrong."""
    if bool(category) == bool(template):
        message = "A wish is for a category or for a template; pass one of them."
        raise WrongPreference(message)
    if channel not in Channel.values:
        raise WrongPreference(f"No channel {channel!r}{did_you_mean(channel, Channel.values)}.")
    if cadence is not None and cadence not in Cadence.values:
        known = ", ".join(Cadence.values)
        raise WrongPreference(f"No cadence {cadence!r}{did_you_mean(cadence, Cadence.values)}; there are {known}.")
    if cadence in DAYS and channel not in routing.AUDIBLE:
        raise WrongPreference(
            f"By {channel!r} each is sent on its own; digests are for {', '.join(sorted(routing.AUDIBLE))}."
        )
    owner = _category(category, template)
    wished = None if cadence is None else Cadence(cadence)
    if owner.required and wished not in {None, Cadence.IMMEDIATELY}:
        raise WrongPreference(f"The category {owner.code!r} is required: nobody can switch it off.")
    return wished


def _category(category: str, template: str) -> Category:
    if template:
        row = Template.objects.filter(code=template).select_related("category").first()
        if row is None:
            codes = list(Template.objects.values_list("code", flat=True))
            raise WrongPreference(f"No template {template!r}{did_you_mean(template, codes)}.")
        return row.category
    found = Category.objects.filter(code=category).first()
    if found is None:
        codes = list(Category.objects.values_list("code", flat=True))
        raise WrongPreference(f"No category {category!r}{did_you_mean(category, codes)}.")
    return found


def _set(recipient: Any, name: str, value: Any, *, now: datetime, origin: Origin) -> bool:
    with transaction.atomic():
        row, _ = RecipientSettings.objects.select_for_update().get_or_create(recipient=recipient)
        before = getattr(row, name)
        if before == value:
            return False
        setattr(row, name, value)
        row.save(update_fields=[name])
        _note(recipient, name, _text(before), _text(value), now=now, origin=origin)
        # Looked at again at once: if it is still quiet, they are put off again, without a try.
        waiting = Delivery.objects.filter(recipient=recipient, state=DeliveryState.PENDING, reason=Reason.QUIET_HOURS)
        waiting.update(due_at=now)
    return True


def _note(
    recipient: Any, subject: str, before: str, after: str, channel: str = "", *, now: datetime, origin: Origin
) -> None:
    ConsentChange.objects.create(
        recipient=recipient,
        subject=subject,
        channel=channel,
        before=before,
        after=after,
        source=origin.source,
        changed_by=origin.by,
        changed_at=now,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value) if value else ""


def _muted(row: Mute | None) -> str:
    return "" if row is None else _end(row.until)


def _end(until: datetime | None) -> str:
    return "muted" if until is None else f"muted until {until.isoformat()}"
