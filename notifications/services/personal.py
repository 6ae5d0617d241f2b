"""What people set for themselves: their language, their time zone, and when they are left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.exceptions import WrongPreference
from notifications.models import Delivery, RecipientSettings
from notifications.models.recipients import phone_validator
from notifications.pipeline.quiet_hours import QuietHours, time_zone
from notifications.registry import did_you_mean
from notifications.services.consent import Change, changing, note
from notifications.types import DeliveryState, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.services.consent import Origin


def settings_of(recipient: Any) -> RecipientSettings:
    """Return a person's settings; those of somebody who has set nothing are empty, and not stored."""
    row = RecipientSettings.objects.filter(recipient=recipient).first()
    return RecipientSettings(recipient=recipient) if row is None else row


def set_quiet_hours(recipient: Any, hours: Any, *, now: datetime, origin: Origin) -> bool:
    """
    Write the quiet hours, as `QuietHours.from_json` reads them; {} for none. Return whether anything changed.

    Raise `WrongPreference` for what they cannot be. What waits for the end of the former ones is looked at again.
    """
    try:
        written = QuietHours.from_json(hours).to_json() if hours else {}
    except ValueError as e:
        raise WrongPreference(str(e), field="quiet_hours") from e
    return _set(recipient, "quiet_hours", written, now=now, origin=origin)


def set_time_zone(recipient: Any, zone: str, *, now: datetime, origin: Origin) -> bool:
    """Write the time zone, an IANA name; empty: the site's. Return whether anything changed."""
    try:
        name = time_zone(zone).key if zone else ""
    except ValueError as e:
        raise WrongPreference(str(e), field="time_zone") from e
    return _set(recipient, "time_zone", name, now=now, origin=origin)


def set_phone(recipient: Any, phone: str, *, now: datetime, origin: Origin) -> bool:
    """Write the phone, in the international form; empty: none. Return whether anything changed."""
    try:
        if phone:
            phone_validator(phone)
    except ValidationError as e:
        raise WrongPreference(" ".join(e.messages), field="phone") from e
    return _set(recipient, "phone", phone, now=now, origin=origin)


def set_locale(recipient: Any, locale: str, *, now: datetime, origin: Origin) -> bool:
    """Write the language, one of the site's; empty: the site's own. Return whether anything changed."""
    known = dict(settings.LANGUAGES)
    if locale and locale not in known:
        message = _("No language %(name)r%(hint)s; there are: %(known)s.")
        said = {"name": locale[:20], "hint": did_you_mean(locale[:20], known), "known": ", ".join(known)}
        raise WrongPreference(message % said, field="locale")
    return _set(recipient, "locale", locale, now=now, origin=origin)


def _set(recipient: Any, name: str, value: Any, *, now: datetime, origin: Origin) -> bool:
    with changing(recipient):
        row, _created = RecipientSettings.objects.get_or_create(recipient=recipient)
        before = getattr(row, name)
        if before == value:
            return False
        setattr(row, name, value)
        row.save(update_fields=[name])
        text = _ending if name == "phone" else _text
        note(recipient, [Change(subject=name, before=text(before), after=text(value))], now=now, origin=origin)
        if name in {"locale", "phone"}:
            return True
        # Looked at again at once: if it is still quiet, they are put off again, without a try.
        waiting = Delivery.objects.filter(recipient=recipient, state=DeliveryState.PENDING, reason=Reason.QUIET_HOURS)
        waiting.update(due_at=now)
    return True


def _ending(phone: str) -> str:
    """Return enough of a phone to know it by: history and journal are read by many."""
    return f"…{phone[-3:]}" if phone else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value) if value else ""
