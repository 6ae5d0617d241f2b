"""What staff do with a broadcast under way: hold it, let it go on, call it back; each is in the log of changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from notifications.pipeline import broadcasting, pausing
from notifications.services import broadcast_drafts, journal, pauses, redrive
from notifications.services.failed import Selection, Stage
from notifications.types import BroadcastState, PauseScope

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.base_user import AbstractBaseUser

    from notifications.models import Broadcast


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What holds a broadcast: a pause of its own, which is lifted here; and those of more, which are not."""

    is_own: bool
    above: tuple[PauseScope, ...]
    #: Those of its channels that are held.
    channels: tuple[str, ...]


def pause(broadcast: Broadcast, *, by: AbstractBaseUser, now: datetime) -> bool:
    """Hold what of it is not sent yet; False: it is over, or held already."""
    if broadcast.completed_at is not None or broadcast.cancelled_at is not None:
        return False
    with transaction.atomic():
        changed = pauses.pause(PauseScope.BROADCAST, str(broadcast.pk), now=now, by=by)
        if changed:
            journal.record(by, broadcast, "Paused the broadcast.")
    return changed


def resume(broadcast: Broadcast, *, by: AbstractBaseUser, now: datetime) -> bool:
    """Let it go; False: it was not held by name."""
    with transaction.atomic():
        changed = pauses.resume(PauseScope.BROADCAST, str(broadcast.pk), now=now)
        if changed:
            journal.record(by, broadcast, "Resumed the broadcast.")
    return changed


def go_on(broadcast: Broadcast, *, by: AbstractBaseUser, now: datetime) -> bool:
    """Tell the rest, after the first few; False: it does not wait for that."""
    with transaction.atomic():
        changed = broadcasting.go_on(broadcast.pk, now=now)
        if changed:
            told = {"told": (broadcast.expanded_count, broadcast.recipient_count)}
            journal.record(by, broadcast, "Let the broadcast go on.", changes=told)
    return changed


def try_again(broadcast: Broadcast, *, by: AbstractBaseUser, now: datetime) -> bool:
    """Go on with one whose audience could not be asked, from where it stopped; False: it did not fail."""
    selection = Selection(stage=Stage.BROADCAST, broadcast_id=broadcast.pk)
    with transaction.atomic():
        changed = redrive.redrive(selection, now=now).broadcasts > 0
        if changed:
            journal.record(by, broadcast, "Tried the broadcast again.")
    return changed


def cancel(broadcast: Broadcast, *, by: AbstractBaseUser, now: datetime) -> bool:
    """Call back all of it that nobody began to send; False: nothing was left to cancel."""
    # Not in a transaction of ours: deliveries are called back bit by bit.
    changed = broadcasting.cancel(broadcast.pk, now=now)
    if changed:
        journal.record(by, broadcast, "Cancelled the broadcast.")
    return changed


def standing(broadcast: Broadcast, *, now: datetime) -> str:
    """Return where it is, in one word: scheduled, paused, sending, canary, cancelled, complete, expired or failed."""
    if broadcast.cancelled_at is not None:
        return "cancelled"
    if broadcast.state in {BroadcastState.FAILED, BroadcastState.EXPIRED}:
        return str(broadcast.state)
    if broadcast.completed_at is not None:
        return "complete"
    held = pausing.current(now)
    if broadcast.pk in held.broadcasts or held.over(broadcast.template_id):
        return "paused"
    if broadcast.state == BroadcastState.CANARY:
        return "canary"
    return "scheduled" if broadcast.due_at > now else "sending"


def holds(broadcast: Broadcast, *, now: datetime) -> Holds:
    """Return what holds it now."""
    held = pausing.current(now)
    names = broadcast.channels if broadcast.channels is not None else broadcast_drafts.channels_of(broadcast.template)
    return Holds(
        is_own=broadcast.pk in held.broadcasts,
        above=held.over(broadcast.template_id),
        channels=tuple(name for name in names if held.over_channel(name)),
    )
