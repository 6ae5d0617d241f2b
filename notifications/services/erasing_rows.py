"""What becomes of each kind of row when a person is erased: it goes, or loses everything that says whose it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet

from notifications.models import Attempt, Delivery, Event, Notification, ProviderEvent, RecipientSettings, Suppression
from notifications.pipeline import cancelling
from notifications.services import personal_data
from notifications.types import DeliveryState, EventState, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from notifications.services.personal_data import Person

#: What is left of a delivery is what became of it, by which channel, when: the statistics.
_DELIVERY: dict[str, Any] = {
    "recipient": None,
    "notification": None,
    "address": "",
    "content": None,
    "provider_message_id": "",
    "digest_id": None,
    # It may quote what was sent, or to whom.
    "last_error": "",
}
#: What an event loses that was for this person alone.
_EVENT: dict[str, Any] = {
    "recipients": [],
    "variables": {},
    "action_url": "",
    "action_text": "",
    "about": "",
    "digest_key": "",
    "last_error": "",
}
#: In another way than by deleting their rows.
_ELSEWHERE = {Notification, Delivery, Attempt, ProviderEvent, Suppression}


def call_back(whose: Person, *, now: datetime) -> int:
    """Have nothing more sent of what waits for a person; return how many deliveries did."""
    waiting = Delivery.objects.filter(recipient=whose.key, state=DeliveryState.PENDING)
    return waiting.update(state=DeliveryState.CANCELLED, reason=Reason.RECIPIENT_ERASED, finished_at=now)


def erase_events(pks: Iterable[Any], whose: Person, *, now: datetime) -> int:
    """
    Take a person out of events that name them; return of how many. In the caller's transaction.

    One for them alone is called back, and loses what it said. One that is being dispatched is left until it is.
    """
    held = Event.objects.select_for_update().filter(pk__in=list(pks)).exclude(state=EventState.DISPATCHING)
    rows = list(held.order_by("pk"))
    alone = [row.pk for row in rows if row.recipients == [whose.key]]
    cancelling.cancel_events(Event.objects.filter(pk__in=alone), now=now)
    Event.objects.filter(pk__in=alone).update(**_EVENT)
    shared = [row for row in rows if row.recipients != [whose.key]]
    for row in shared:
        row.recipients = [key for key in row.recipients if key != whose.key]
    Event.objects.bulk_update(shared, ["recipients"], batch_size=200)
    # A key that names them goes; every other one holds on to what it promises.
    telling = [row.pk for row in rows if row.idempotency_key and whose.is_named_in(row.idempotency_key)]
    Event.objects.filter(pk__in=telling).update(idempotency_key=None)
    return len(rows)


def erase_notifications(whose: Person, *, limit: int) -> tuple[int, bool]:
    """Take away a bit of an inbox, with what its deliveries tell of the person; return how many, and whether all are gone."""
    mine = Notification.objects.filter(recipient=whose.key)
    deliveries = Delivery.objects.filter(notification=OuterRef("pk"))
    free = mine.filter(~Exists(deliveries.filter(state=DeliveryState.SENDING))).order_by("pk")
    pks = list(free.values_list("pk", flat=True)[:limit])
    # The audit counts them: without any delivery, nothing would say what became of this recipient.
    untold = mine.filter(~Exists(deliveries), pk__in=pks).values("event_id")
    Event.objects.filter(pk__in=list(untold.values_list("event_id", flat=True))).update(
        unknown_count=F("unknown_count") + 1
    )
    _anonymise(Delivery.objects.filter(notification__in=pks))
    _forget_entries(Notification, pks)
    Notification.objects.filter(pk__in=pks).delete()
    return len(pks), not mine.exists()


def erase_stranded(whose: Person, *, limit: int) -> tuple[int, bool]:
    """Take the person out of deliveries without an inbox item; return of how many, and whether of all."""
    mine = Delivery.objects.filter(recipient=whose.key)
    free = mine.exclude(state=DeliveryState.SENDING).order_by("pk")
    number = _anonymise(Delivery.objects.filter(pk__in=list(free.values_list("pk", flat=True)[:limit])))
    return number, not mine.exists()


def erase_direct(pks: Iterable[Any], *, now: datetime) -> int:
    """Take the address and the text out of direct deliveries; return of how many. One being sent is left until it is."""
    rows = Delivery.objects.filter(pk__in=list(pks)).exclude(state=DeliveryState.SENDING)
    waiting = rows.filter(state=DeliveryState.PENDING)
    waiting.update(state=DeliveryState.CANCELLED, reason=Reason.RECIPIENT_ERASED, finished_at=now)
    return _anonymise(rows)


def erase_rest(whose: Person, *, limit: int) -> tuple[int, bool]:
    """Take away wishes, settings and addresses; keep what suppresses an address, by its hash. Return as the others do."""
    number = 0
    for model in personal_data.OWNED:
        if model not in _ELSEWHERE:
            number += _delete(personal_data.owned(model, whose), limit - number)
    blank = personal_data.owned(Suppression, whose).filter(Q(recipient__isnull=False) | ~Q(address="", lift_reason=""))
    _forget_entries(Suppression, blank.values_list("pk", flat=True))
    number += blank.update(recipient=None, address="", lift_reason="")
    for model in (get_user_model(), RecipientSettings):
        _forget_entries(model, [whose.key])
    return number, number < limit


def _anonymise(rows: QuerySet[Delivery]) -> int:
    """Keep of deliveries that are over what they count for."""
    pks = list(rows.select_for_update().exclude(state=DeliveryState.SENDING).values_list("pk", flat=True))
    # The provider's own name of the message leads to the person there.
    ProviderEvent.objects.filter(delivery__in=pks).delete()
    Attempt.objects.filter(delivery__in=pks).exclude(detail="").update(detail="")
    _forget_entries(Delivery, pks)
    return Delivery.objects.filter(pk__in=pks).update(**_DELIVERY)


def _delete(rows: QuerySet[Any], limit: int) -> int:
    pks = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    _forget_entries(rows.model, pks)
    rows.model._default_manager.filter(pk__in=pks).delete()
    return len(pks)


def _forget_entries(model: type[Model], pks: Iterable[Any]) -> None:
    """Keep of the journal of staff who did something when, and not to whom: it names rows in words, and quotes them."""
    known = [str(pk) for pk in pks]
    kind = ContentType.objects.get_for_model(model)
    LogEntry.objects.filter(content_type=kind, object_id__in=known).update(object_repr="", change_message="")
