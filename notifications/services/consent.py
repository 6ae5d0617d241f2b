"""The history of what people want: every change with where it came from, one person's changes one after another."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction

from notifications.models import ConsentChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from notifications.types import ConsentSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a change comes from."""

    source: ConsentSource
    #: The user who did it; None: nobody was logged in.
    by: Any = None
    #: Why, in the words of staff who did it on somebody's behalf.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the history."""

    #: What it was about: `category:orders`, `template:ORDER_CREATED`, `about:orders.order:42`, `endpoint:…`, `quiet_hours`.
    subject: str
    #: What it was; empty: no wish.
    before: str
    after: str
    #: Empty: all.
    channel: str = ""


@contextmanager
def changing(recipient: Any) -> Iterator[None]:
    """Hold a transaction in which nobody else changes what this person wants: each `before` is what came before."""
    with transaction.atomic():
        # Without the key, so that rows which point to the user are not held up.
        people = get_user_model()._default_manager.select_for_update(no_key=True)
        people.filter(pk=recipient.pk).values_list("pk").first()
        yield


def note(recipient: Any, changes: Iterable[Change], *, now: datetime, origin: Origin) -> None:
    """Append to a person's history."""
    ConsentChange.objects.bulk_create(
        ConsentChange(
            recipient=recipient,
            subject=change.subject,
            channel=change.channel,
            before=change.before,
            after=change.after,
            source=origin.source,
            changed_by=origin.by,
            changed_at=now,
            note=origin.note,
        )
        for change in changes
    )
