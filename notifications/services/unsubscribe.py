"""Unsubscribing by a signed link: a category by a channel is off, and can be put back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from notifications.models import ConsentChange, Preference, Template
from notifications.services.consent import Origin, changing
from notifications.services.preferences import Wish, refusals, set_cadences
from notifications.types import Cadence, ConsentSource

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.pipeline.links import Link

#: Nobody was logged in: who had the link did it.
ORIGIN = Origin(source=ConsentSource.UNSUBSCRIBE)


def recipient_of(link: Link) -> Any:
    """Return the user that a link acts for; None: there is none any more."""
    return get_user_model()._default_manager.filter(pk=link.recipient).first()


def unsubscribe(link: Link, *, now: datetime) -> int:
    """
    Switch the link's category off by its channel, and what the recipient wished for of its templates.

    Return how many wishes that changed; none, if it was done before, or for somebody who is gone. Raise
    `WrongPreference` if the category is required by now, or is no more.
    """
    everything = Wish(category=link.category, channel=link.channel, cadence=Cadence.OFF)
    # Before it is asked who it is: the answer is the same for everybody.
    for refusal in refusals([everything]).values():
        raise refusal
    recipient = recipient_of(link)
    if recipient is None:
        return 0
    with changing(recipient):
        # A wish for a template is stronger than the one for its category.
        own = Preference.objects.filter(
            recipient=recipient, channel=link.channel, template__category=link.category
        ).exclude(cadence=Cadence.OFF)
        wishes = [
            Wish(template=code, channel=link.channel, cadence=Cadence.OFF)
            for code in own.order_by("template").values_list("template_id", flat=True)
        ]
        return set_cadences(recipient, [everything, *wishes], now=now, origin=ORIGIN)


def undo(link: Link, *, now: datetime) -> int:
    """Put back what unsubscribing changed, unless it was changed again since. Return how many wishes that changed."""
    recipient = recipient_of(link)
    if recipient is None:
        return 0
    codes = Template.objects.filter(category=link.category).values_list("code", flat=True)
    targets = {f"category:{link.category}": {"category": link.category}}
    targets |= {f"template:{code}": {"template": code} for code in codes}
    with changing(recipient):
        history = ConsentChange.objects.filter(recipient=recipient, channel=link.channel, subject__in=targets)
        latest = {line.subject: line for line in history.order_by("changed_at", "pk")}
        wishes = [
            Wish(channel=link.channel, cadence=line.before or None, **targets[subject])
            for subject, line in latest.items()
            if line.source == ConsentSource.UNSUBSCRIBE and line.after == Cadence.OFF
        ]
        return set_cadences(recipient, wishes, now=now, origin=ORIGIN)
