"""
Erasing what we hold about a person, bit by bit: by the clock of the workers, or by a command that waits for it.

What is pending is called back first. Then each step takes a few hundred rows in a transaction of its own, and writes how
far it is: whoever is killed goes on where it was, and two who do it at once do not meet. What a provider is being
called for right now is left until the call is over. Statistics stay; docs/personal-data.md says what becomes of each table.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from notifications.exceptions import NotificationError
from notifications.models import Erasure
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.services import personal_data
from notifications.services.erasing_lists import take_off_lists
from notifications.services.erasing_rows import (
    call_back,
    erase_direct,
    erase_events,
    erase_notifications,
    erase_rest,
    erase_stranded,
)
from notifications.services.personal_data import Person
from notifications.types import Channel, ErasureStep, Reason, SuppressionSource

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

#: Characters of a note.
MAX_NOTE = 1000
#: What is counted of a table before "more than" is said.
MANY = 100_000
#: Rows of one bit, for whoever waits for it.
BATCH = 500
_STEPS = [*ErasureStep]


class WrongErasure(NotificationError, ValueError):
    """This cannot be erased now."""


def foresee(recipient: Any, *, with_events: bool = False) -> dict[str, int]:
    """
    Return how many rows there are of a person's, by table; `MANY` stands for as many or more.

    Events and direct deliveries are counted when asked for: there is no index that leads to them.
    """
    whose = personal_data.person(recipient)
    counted = {
        str(model._meta.verbose_name_plural): personal_data.owned(model, whose).order_by()[:MANY].count()
        for model in personal_data.OWNED
    }
    if with_events:
        counted["events"] = sum(1 for _ in personal_data.walk(personal_data.naming, whose))
        counted["direct deliveries"] = sum(1 for _ in personal_data.walk(personal_data.direct, whose))
    return {name: number for name, number in counted.items() if number}


def request(recipient: Any, *, by: Any, note: str, never_write: bool = False, now: datetime) -> Erasure:
    """
    Note that everything about a person is to be erased, and call back what waits to be sent to them.

    `never_write`: take the addresses out of use besides; what stays of them is a hash. Raise `WrongErasure` if it is
    under way already.
    """
    whose = personal_data.person(recipient)
    try:
        with transaction.atomic():
            if never_write:
                suppress(_addresses(recipient), source=SuppressionSource.STAFF, now=now)
            erasure = Erasure.objects.create(
                recipient_key=whose.key, hashes=whose.hashes, requested_at=now, requested_by=by, note=note[:MAX_NOTE]
            )
            call_back(whose, now=now)
            take_off_lists(whose)
    except IntegrityError as e:
        message = "Their data are being erased already; look at how far that is."
        raise WrongErasure(message) from e
    return erasure


def proceed(erasure: Erasure, *, now: datetime, limit: int) -> int:
    """Do a bit of it, at most `limit` rows; return how many were looked at. 0: it is over, or has to wait."""
    with transaction.atomic():
        row = open_ones().select_for_update(skip_locked=True).filter(pk=erasure.pk).first()
        number = 0 if row is None else _proceed(row, now, limit)
    erasure.refresh_from_db()
    return number


def hurry(erasure: Erasure, *, now: datetime, seconds: float = math.inf) -> None:
    """Do as much of it as there is time for, until it is over or has to wait; `seconds` is looked at between two bits."""
    until = time.monotonic() + seconds
    while proceed(erasure, now=now, limit=BATCH) and time.monotonic() < until:
        pass


def open_ones() -> QuerySet[Erasure]:
    """Return those that are under way."""
    return Erasure.objects.filter(finished_at__isnull=True)


def open_one(recipient: Any) -> Erasure | None:
    """Return the erasure of a user that is under way."""
    return open_ones().filter(recipient_key=str(recipient.pk)).first()


def of(recipient: Any) -> Erasure | None:
    """Return a user's latest erasure."""
    return Erasure.objects.filter(recipient_key=str(recipient.pk)).order_by("-pk").first()


def _proceed(row: Erasure, now: datetime, limit: int) -> int:
    whose = _whose(row)
    # Again each time: what was claimed before may have been put back meanwhile.
    call_back(whose, now=now)
    take_off_lists(whose)
    match row.step:
        case ErasureStep.EVENTS:
            number, looked_at, is_over = _events(row, whose, now)
        case ErasureStep.DIRECT:
            number, looked_at, is_over = _direct(row, whose, now)
        case ErasureStep.NOTIFICATIONS:
            number, is_over = erase_notifications(whose, limit=limit)
            looked_at = number
        case ErasureStep.DELIVERIES:
            number, is_over = erase_stranded(whose, limit=limit)
            looked_at = number
        case _rest:
            number, is_over = erase_rest(whose, limit=limit)
            looked_at = number
    row.counts = {**row.counts, row.step: row.counts.get(row.step, 0) + number}
    if is_over:
        row.step, row.cursor = _STEPS[_STEPS.index(ErasureStep(row.step)) + 1], None
        # A step that found nothing is no reason to wait.
        looked_at = max(looked_at, 1)
    if row.step == ErasureStep.DONE:
        row.finished_at, row.hashes = now, {}
    row.save(update_fields=["step", "cursor", "counts", "hashes", "finished_at"])
    return looked_at


def _events(row: Erasure, whose: Person, now: datetime) -> tuple[int, int, bool]:
    """Return how many were erased and looked at, and whether that was all."""
    found, last = personal_data.naming(whose, after=row.cursor)
    erased = erase_events([event.pk for event in found], whose, now=now)
    return _moved(row, len(found), erased, last)


def _direct(row: Erasure, whose: Person, now: datetime) -> tuple[int, int, bool]:
    found, last = personal_data.direct(whose, after=row.cursor)
    erased = erase_direct([delivery.pk for delivery in found], now=now)
    return _moved(row, len(found), erased, last)


def _moved(row: Erasure, found: int, erased: int, last: Any) -> tuple[int, int, bool]:
    """Go on to the next window, unless somebody holds a row of this one."""
    if last is None:
        return 0, 0, True
    if erased == found:
        row.cursor = last
        return erased, max(erased, 1), False
    return erased, erased, False


def _whose(row: Erasure) -> Person:
    user = get_user_model()._default_manager.filter(pk=row.recipient_key).first()
    names = () if user is None else personal_data.names_of(user)
    return Person(key=row.recipient_key, hashes=row.hashes, names=names)


def _addresses(recipient: Any) -> list[Unusable]:
    settings = getattr(recipient, "notification_settings", None)
    email = str(getattr(recipient, get_user_model().get_email_field_name(), "") or "")
    places = {Channel.EMAIL: email, Channel.SMS: settings.phone if settings else ""}
    return [
        Unusable(channel=channel, address=address, reason=Reason.UNSUBSCRIBED, recipient=recipient.pk)
        for channel, address in places.items()
        if address
    ]
