"""What staff can do about what an explanation says. Pure: a line in, a remedy out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from notifications.types import DeliveryState, Reason

if TYPE_CHECKING:
    from notifications.services.explanation import Line


class Remedy(TextChoices):
    """One thing to do, and where."""

    CHANGE_WISH = "change_wish", _("change what they want to hear, if they ask for it")
    GIVE_ADDRESS = "give_address", _("give them an address on this channel")
    LIFT_SUPPRESSION = "lift_suppression", _("let the address be used again, once it is known to work")
    ACTIVATE = "activate", _("activate the account")
    EDIT_TEMPLATE = "edit_template", _("look at the template: its wording, and whether it is disabled")
    SEND_AGAIN = "send_again", _("mend the cause, and send it again")
    RESUME = "resume", _("lift the pause")


_BY_REASON: dict[str, Remedy] = {
    **dict.fromkeys(
        (Reason.CATEGORY_OFF, Reason.TEMPLATE_OFF, Reason.DEFAULT_OFF, Reason.MUTED, Reason.DIGEST, Reason.QUIET_HOURS),
        Remedy.CHANGE_WISH,
    ),
    **dict.fromkeys((Reason.NO_ADDRESS, Reason.ENDPOINT_GONE, Reason.INVALID_ADDRESS), Remedy.GIVE_ADDRESS),
    **dict.fromkeys(
        (Reason.SUPPRESSED_ADDRESS, Reason.HARD_BOUNCE, Reason.COMPLAINT, Reason.UNSUBSCRIBED), Remedy.LIFT_SUPPRESSION
    ),
    Reason.RECIPIENT_INACTIVE: Remedy.ACTIVATE,
    **dict.fromkeys((Reason.NO_CONTENT, Reason.TEMPLATE_DISABLED, Reason.RENDER_ERROR), Remedy.EDIT_TEMPLATE),
}
#: Nothing is ever paused for good.
PAUSED = "paused"
_FAILED = {DeliveryState.FAILED.value, DeliveryState.UNKNOWN.value}


def remedy(line: Line) -> Remedy | None:
    """Return what could be done; None: nothing, or nothing needs to be."""
    if line.state == PAUSED:
        return Remedy.RESUME
    found = _BY_REASON.get(line.reason)
    return found or (Remedy.SEND_AGAIN if line.state in _FAILED and line.row is not None else None)
