"""
What we hold about a person, and where: one list, which exporting and erasing go by.

Every table of ours is in one of the two lists below; a test refuses one that is in none. What each of them means for
exporting and erasing is told to people in docs/personal-data.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.contrib.auth import get_user_model
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from notifications.models import (
    ApiKey,
    Attempt,
    Broadcast,
    BroadcastDraft,
    Category,
    ConsentChange,
    DailyStat,
    Delivery,
    Digest,
    Endpoint,
    Erasure,
    Event,
    FrequencyCount,
    HourlyCount,
    Mute,
    Notification,
    Pause,
    Preference,
    ProviderEvent,
    RecipientSettings,
    SendRate,
    Suppression,
    Template,
    TemplateContent,
    TemplateVersion,
    WorkerHeartbeat,
)
from notifications.models.suppressions import address_hash, address_hashes
from notifications.services.suppressions import CHANNELS
from notifications.types import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

#: Rows that are looked at in one go where no index leads to a person's.
WINDOW = 20_000
#: Of those, rows that are handled in one go.
FOUND = 500


class Look(Protocol):
    """How a person's rows are found where no index leads to them."""

    def __call__(self, whose: Person, *, after: UUID | None) -> tuple[list[Any], UUID | None]: ...


#: Tables with rows of a person's: how these are found. Events name people in a list, and are found by `naming`.
OWNED: dict[type[Model], str] = {
    Notification: "recipient",
    Delivery: "recipient",
    Attempt: "delivery__recipient",
    ProviderEvent: "delivery__recipient",
    Digest: "recipient",
    FrequencyCount: "recipient",
    Preference: "recipient",
    Mute: "recipient",
    Endpoint: "recipient",
    ConsentChange: "recipient",
    RecipientSettings: "recipient",
    Suppression: "recipient",
}
#: Tables that hold nothing about a recipient, and why not.
IMPERSONAL: dict[type[Model], str] = {
    ApiKey: "of services",
    Broadcast: "what everybody is told; of a list not all told yet, whoever is erased is taken off",
    BroadcastDraft: "of staff; whoever is erased is taken off it",
    Category: "of the site",
    DailyStat: "numbers",
    Erasure: "keys and hashes only: the record of the erasure",
    HourlyCount: "numbers",
    Pause: "of staff",
    SendRate: "of channels",
    Template: "of the site",
    TemplateContent: "of the site",
    TemplateVersion: "of the site",
    WorkerHeartbeat: "of machines",
}
#: Columns that say which member of staff did something. That stays: others rely on who did it.
ACTORS = frozenset({
    "ApiKey.created_by", "Broadcast.started_by", "BroadcastDraft.created_by", "ConsentChange.changed_by", "Erasure.requested_by", "Pause.created_by", "Suppression.lifted_by",
    "TemplateVersion.created_by", "TemplateVersion.edited_by",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whose data are meant; also somebody whose account is gone."""

    #: Primary key, as text: databases take it as such, too.
    key: Any
    #: Channel → hashes of their addresses.
    hashes: dict[str, list[str]]
    #: What names them in a text: addresses and the user name, without regard to case. Empty, once the account is gone.
    names: tuple[str, ...] = ()

    def is_at(self, channel: str, address: str) -> bool:
        """Tell whether this is an address of theirs."""
        return bool(address) and channel in self.hashes and address_hash(channel, address) in self.hashes[channel]

    def is_named_in(self, text: str) -> bool:
        return any(name in text.casefold() for name in self.names)


def person(recipient: Any) -> Person:
    """Return what a user is known by."""
    email = str(getattr(recipient, get_user_model().get_email_field_name(), "") or "")
    row = RecipientSettings.objects.filter(recipient=recipient).first()
    addresses = {Channel.EMAIL: email, Channel.SMS: "" if row is None else row.phone}
    return Person(
        key=str(recipient.pk),
        hashes={channel: address_hashes(channel, addresses[channel]) for channel in CHANNELS if addresses[channel]},
        names=names_of(recipient, *addresses.values()),
    )


def names_of(recipient: Any, *more: str) -> tuple[str, ...]:
    """Return what names a user in a text: nothing that is so short that it would be found everywhere."""
    email = str(getattr(recipient, get_user_model().get_email_field_name(), "") or "")
    return tuple({name.casefold() for name in (recipient.get_username(), email, *more) if len(name) > 3})


def owned(model: type[Model], whose: Person) -> QuerySet[Any]:
    """Return a person's rows of a table of `OWNED`."""
    mine = Q(**{OWNED[model]: whose.key})
    if model is Suppression:
        for channel, hashes in whose.hashes.items():
            mine |= Q(channel=channel, address_hash__in=hashes)
    return model._default_manager.filter(mine)


def naming(whose: Person, *, after: UUID | None) -> tuple[list[Event], UUID | None]:
    """
    Return the first `FOUND` of the next `WINDOW` events that name a person, and the last looked at; None: there is none.

    There is no index by recipient, which would make every event dearer: they are looked at from the oldest to the newest.
    """
    rows, last = _window(Event.objects.filter(emptied_at__isnull=True), after)
    # The database looks for the text, so that few of the rows are read; which it is, is compared here.
    likely = rows.annotate(written=Cast("recipients", TextField())).filter(written__contains=f'"{whose.key}"')
    found = list(likely.order_by("pk")[:FOUND])
    return [event for event in found if whose.key in event.recipients], found[-1].pk if len(found) == FOUND else last


def direct(whose: Person, *, after: UUID | None) -> tuple[list[Delivery], UUID | None]:
    """Do as `naming` does, of deliveries without a user that went to a person."""
    nobodys = Delivery.objects.filter(recipient__isnull=True, channel__in=list(whose.hashes)).exclude(address="")
    rows, last = _window(nobodys, after)
    theirs = [
        pk for pk, channel, address in rows.values_list("pk", "channel", "address") if whose.is_at(channel, address)
    ]
    found = list(Delivery.objects.filter(pk__in=theirs[:FOUND]).order_by("pk"))
    return found, found[-1].pk if len(theirs) > FOUND else last


def walk(look: Look, whose: Person) -> Iterator[Any]:
    """Yield all that `naming` or `direct` finds, window by window."""
    found, after = look(whose, after=None)
    yield from found
    while after is not None:
        found, after = look(whose, after=after)
        yield from found


def in_batches(rows: QuerySet[Any], size: int) -> Iterator[list[Any]]:
    """Return rows bit by bit, by primary key: each bit is a statement of its own, and nothing is held in between."""
    rows = rows.order_by("pk")
    batch = list(rows[:size])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:size]) if len(batch) == size else []


def _window(rows: QuerySet[Any], after: UUID | None) -> tuple[QuerySet[Any], UUID | None]:
    ahead = rows.order_by("pk") if after is None else rows.order_by("pk").filter(pk__gt=after)
    within = list(ahead.values_list("pk", flat=True)[:WINDOW])
    return (ahead.filter(pk__lte=within[-1]), within[-1]) if within else (ahead.none(), None)
