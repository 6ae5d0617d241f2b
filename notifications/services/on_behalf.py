"""What staff change for somebody: with a note, in that person's history and in the journal of staff."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from notifications.exceptions import WrongPreference
from notifications.models import ConsentChange
from notifications.services import journal
from notifications.services.consent import Origin, changing
from notifications.types import ConsentSource

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Characters of a note.
MAX_NOTE = 500


@contextmanager
def acting(recipient: Any, *, by: Any, note: str) -> Iterator[Origin]:
    """
    Hold a transaction in which staff change what a person wants; what changes nothing leaves no line anywhere.

    Raise `WrongPreference` for a note that says nothing, or says too much: the person reads it, too.
    """
    said = note.strip()
    if not said:
        message = _("Say why: the person finds it in their history.")
        raise WrongPreference(message, field="note")
    if len(said) > MAX_NOTE:
        message = _("The note has %(number)s characters; at most %(most)s.")
        raise WrongPreference(message % {"number": len(said), "most": MAX_NOTE}, field="note")
    with changing(recipient):
        history = ConsentChange.objects.filter(recipient=recipient)
        last = history.order_by("-pk").values_list("pk", flat=True).first() or 0
        yield Origin(source=ConsentSource.ADMIN, by=by, note=said)
        changes = {
            f"{line.subject} {line.channel}".strip(): (line.before, line.after)
            for line in history.filter(pk__gt=last).order_by("pk")
        }
        if changes:
            journal.record(by, recipient, said, changes=changes)
