"""Taking a person who is erased off the lists that staff wrote: of broadcasts not all told yet, and of drafts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from notifications.models import Broadcast, BroadcastDraft
from notifications.services.broadcast_drafts import UNCOUNTED

if TYPE_CHECKING:
    from notifications.services.personal_data import Person


def take_off_lists(whose: Person) -> int:
    """
    Take a person off; return of how many lists. In the caller's transaction.

    What was for them alone, or a draft that names them, loses its words, too.
    """
    number = 0
    # Locked: a step of its expansion comes before, and its events are found; or after, and reads the shorter list.
    for broadcast in _listing(Broadcast.objects.select_for_update(), whose):
        changes: dict[str, Any] = {"variables": {}} if broadcast.recipients == [whose.key] else {}
        Broadcast.objects.filter(pk=broadcast.pk).update(recipients=_without(broadcast.recipients, whose), **changes)
        number += 1
    for draft in _drafts(whose):
        is_named = draft.recipients == [whose.key] or whose.is_named_in(_text(draft.variables))
        BroadcastDraft.objects.filter(pk=draft.pk).update(
            recipients=_without(draft.recipients, whose),
            variables={} if is_named else draft.variables,
            revision=draft.revision + 1,
            **UNCOUNTED,
        )
        number += 1
    return number


def _drafts(whose: Person) -> list[BroadcastDraft]:
    """Return those not started that list a person or name them; they are few, and go after a month."""
    rows = BroadcastDraft.objects.select_for_update().filter(broadcast__isnull=True).order_by("pk")
    return [row for row in rows if whose.key in (row.recipients or ()) or whose.is_named_in(_text(row.variables))]


def _listing(rows: QuerySet[Broadcast], whose: Person) -> list[Broadcast]:
    # The database looks for the text, so that few of the rows are read; which it is, is compared here.
    written = rows.filter(recipients__isnull=False).annotate(written=Cast("recipients", TextField()))
    likely = written.filter(written__contains=f'"{whose.key}"').order_by("pk")
    return [row for row in likely if whose.key in (row.recipients or ())]


def _without(keys: list[str] | None, whose: Person) -> list[str] | None:
    return None if keys is None else [key for key in keys if key != whose.key]


def _text(variables: dict[str, Any]) -> str:
    # As it is written: an escaped letter would hide a name.
    return json.dumps(variables, ensure_ascii=False)
