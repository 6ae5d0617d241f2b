"""One box for everything staff may have at hand: whatever it is, by an exact value and an index. Nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from notifications.models import Broadcast, Delivery, Event, Notification, RecipientSettings
from notifications.services import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

#: What is shown of each kind; more of one kind means that the words fit too many.
SHOWN = 20


class Kind(TextChoices):
    """What was found."""

    PERSON = "person", _("user")
    ADDRESS = "address", _("address without a user")
    EVENT = "event", _("event")
    NOTIFICATION = "notification", _("notification")
    DELIVERY = "delivery", _("delivery")
    BROADCAST = "broadcast", _("broadcast")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something that goes by what was looked for."""

    kind: Kind
    #: The row. None: an address, which has none.
    row: Any
    #: By what it was found, in words.
    by: str


def find(term: str) -> list[Hit]:
    """
    Return what goes by this term: an id, an e-mail address, a phone number, a user's name or number, an object such as
    orders.order:42, an idempotency key, or what a provider calls a message.
    """
    term = term.strip()
    if not term or "\x00" in term:
        return []
    hits = [*_by_id(term), *_people(term), *_by_key(term), *_by_object(term), *_addresses(term)]
    # A row that goes by it in two ways is shown once.
    return list({(hit.kind, getattr(hit.row, "pk", term)): hit for hit in reversed(hits)}.values())[::-1]


def recipients(hit: Hit) -> list[str]:
    """Return whom it was for, as primary keys in text: none of a user, an address, or a broadcast."""
    if hit.kind is Kind.EVENT:
        return list(hit.row.recipients)
    key = hit.row.recipient_id if hit.kind in {Kind.NOTIFICATION, Kind.DELIVERY} else None
    return [] if key is None else [str(key)]


def entry(hit: Hit) -> UUID | None:
    """Return the entry of a timeline that it is, or belongs to. None: it is none, or may be several."""
    if hit.kind is Kind.NOTIFICATION:
        return UUID(str(hit.row.pk))
    if hit.kind is Kind.DELIVERY:
        return hit.row.notification_id or UUID(str(hit.row.pk))
    return None


def _by_id(term: str) -> Iterator[Hit]:
    try:
        key = UUID(term)
    except ValueError:
        return
    models: tuple[tuple[Kind, type[Model]], ...] = (
        (Kind.EVENT, Event),
        (Kind.NOTIFICATION, Notification),
        (Kind.DELIVERY, Delivery),
        (Kind.BROADCAST, Broadcast),
    )
    for kind, model in models:
        yield from _hits(kind, model._default_manager.filter(pk=key), _("id"))
    # Retention may have taken the event, and left what came of it.
    yield from _hits(Kind.NOTIFICATION, Notification.objects.filter(event_id=key), _("id of the event"))


def _people(term: str) -> Iterator[Hit]:
    users = get_user_model()
    is_theirs = Q(**{users.USERNAME_FIELD: term}) | Q(**{f"{users.get_email_field_name()}__iexact": term})
    yield from _hits(Kind.PERSON, users._default_manager.filter(is_theirs), _("name or e-mail address"))
    if term.isascii() and term.isdigit() and len(term) < 19:
        yield from _hits(Kind.PERSON, users._default_manager.filter(pk=int(term)), _("id"))
    if term.startswith("+"):
        owners = RecipientSettings.objects.filter(phone=term).values("recipient")[:SHOWN]
        yield from _hits(Kind.PERSON, users._default_manager.filter(pk__in=owners), _("phone number"))


def _by_key(term: str) -> Iterator[Hit]:
    yield from _hits(Kind.EVENT, Event.objects.filter(idempotency_key=term), _("idempotency key"))
    # Without the blank ones, as the index is.
    sent = Delivery.objects.filter(provider_message_id=term).exclude(provider_message_id="")
    yield from _hits(Kind.DELIVERY, sent, _("what the provider calls it"))


def _by_object(term: str) -> Iterator[Hit]:
    if ":" not in term:
        return
    yield from _hits(Kind.EVENT, Event.objects.filter(about=term).exclude(about=""), _("what it is about"))
    yield from _hits(
        Kind.NOTIFICATION, Notification.objects.filter(about=term).exclude(about=""), _("what it is about")
    )


def _addresses(term: str) -> Iterator[Hit]:
    if timeline.direct_to(term).exists():
        yield Hit(kind=Kind.ADDRESS, row=None, by=str(_("address")))


def _hits(kind: Kind, rows: Any, by: Any) -> Iterator[Hit]:
    return (Hit(kind=kind, row=row, by=str(by)) for row in rows.order_by("-pk")[:SHOWN])
