"""The buttons of inbox items: business code answers, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from notifications import registry
from notifications.services import inbox
from notifications.services.live import announce
from notifications.values import Pressed

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.models import Notification
    from notifications.models.inbox import NotificationQuerySet

#: Characters kept of what business code answers.
MAX_RESULT = 500


def offered(item: Notification) -> list[dict[str, Any]]:
    """Return the buttons of an item: {"name", "text" (in the active language), "run_at", "result"}."""
    found = [(action, registry.inbox_action_named(action["name"])) for action in item.actions]
    return [{**action, "text": str(known.text)} for action, known in found if known is not None]


def run(items: NotificationQuerySet, name: str, *, now: datetime) -> None:
    """
    Press a button of the one item in `items`; what was pressed before is not done again.

    Raise `LookupError` if it has no such button, and `ActionRefused` in business code's own words.
    """
    with transaction.atomic():
        item = items.select_for_update().get()
        action = next((action for action in item.actions if action["name"] == name), None)
        known = registry.inbox_action_named(name)
        if action is None or known is None:
            names = ", ".join(offer["name"] for offer in offered(item)) or "none"
            message = f"This notification has no action {name!r}; there are: {names}."
            raise LookupError(message)
        if action["run_at"] is not None:
            return
        pressed = Pressed(
            recipient=item.recipient, template=item.template_id, about=item.about, notification_id=item.pk
        )
        answer = known.answer(pressed)
        action["run_at"], action["result"] = now.isoformat(), str(answer or "")[:MAX_RESULT]
        items.update(actions=item.actions)
        inbox.mark(items, "read", now=now)
        announce(items)
