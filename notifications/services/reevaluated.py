"""What would happen if it were published now: the verdict of the planner, and what holds it back. Writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from notifications import registry
from notifications.pipeline import dry_run, pausing, routing
from notifications.pipeline.recipients import users_of
from notifications.services import suppressions
from notifications.services.explanation import Basis, Line, shown
from notifications.services.remedies import PAUSED
from notifications.types import Channel, DeliveryState, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from notifications.models import Delivery, Event
    from notifications.pipeline.planning import Planned


def origin(latest: Event | None, *, zone: ZoneInfo) -> Line:
    """Say what is taken to be published now."""
    if latest is None:
        return _line(_("An event with the template's samples, published now:"))
    said = {"at": shown(latest.created_at, zone)}
    return _line(_("An event like the latest on record, of %(at)s, published now:") % said)


def of_event(event: Event, recipient: Any, *, zone: ZoneInfo, now: datetime) -> Iterator[Line]:
    """Yield the verdict on each channel, with who decided, and the pauses in force."""
    try:
        (planned,) = dry_run.foresee([event], now=now)
    except Exception as e:  # noqa: BLE001 - a guard is business code: its error is the answer
        yield _line(_("It would fail: %(error)s") % {"error": f"{type(e).__name__}: {e}"}, state="failed")
        return
    (told,) = planned.told
    if not told.deliveries:
        yield _line(_("There is no channel to tell it by: the template has no published wording."))
    for row in told.deliveries:
        yield _verdict(row, _decided(planned, row.channel), zone)
    yield from pauses(event.template_id, [row.channel for row in told.deliveries], now=now)


def pauses(template: str, channels: Iterable[str], *, now: datetime) -> Iterator[Line]:
    """Yield what is held at the moment, of a template and these channels."""
    held = pausing.current(now)
    for scope in held.over(template):
        yield _line(_("Paused at the moment: %(scope)s") % {"scope": scope.label}, state=PAUSED)
    for channel in channels:
        for scope in held.over_channel(channel):
            label = _("%(channel)s: paused at the moment: %(scope)s")
            said = {"channel": Channel(channel).label, "scope": scope.label}
            yield _line(label % said, channel=channel, state=PAUSED)


def membership(audience: str, recipient: Any) -> Line:
    """Tell whether somebody belongs to an audience."""
    names = {"audience": audience}
    try:
        people = users_of(registry.audience_named(audience)(), f"The audience {audience!r}")
        is_in = people.filter(pk=recipient.pk).exists()
    except Exception as e:  # noqa: BLE001 - an audience is business code: its error is the answer
        names["error"] = f"{type(e).__name__}: {e}"
        return _line(_("The audience %(audience)s cannot be asked: %(error)s") % names)
    if is_in:
        return _line(_("This user is in the audience %(audience)s.") % names)
    return _line(_("This user is not in the audience %(audience)s.") % names)


def _decided(planned: Planned, channel: str) -> str:
    """Say who decided how often this channel is used."""
    (told,) = planned.told
    wish = routing.wish(planned.facts, told.recipient.routing, channel)
    return _("%(cadence)s, decided by: %(level)s") % {"cadence": wish.cadence.label, "level": wish.level.label}


def _verdict(row: Delivery, decided: str, zone: ZoneInfo) -> Line:
    said = {"channel": Channel(row.channel).label, "decided": decided, "at": shown(row.due_at, zone)}
    said["reason"] = _reason(row)
    if row.state == DeliveryState.SUPPRESSED:
        text = _("%(channel)s: not sent, because %(reason)s (%(decided)s)")
    elif row.state == DeliveryState.FAILED:
        text = _("%(channel)s: would fail, because %(reason)s (%(decided)s)")
    elif row.reason:
        text = _("%(channel)s: not before %(at)s: %(reason)s (%(decided)s)")
    else:
        text = _("%(channel)s: sent at once (%(decided)s)")
    return _line(text % said, channel=row.channel, state=row.state, reason=row.reason, at=row.due_at)


def _reason(row: Delivery) -> str:
    if row.reason == Reason.SUPPRESSED_ADDRESS and (
        cause := suppressions.cause(row.channel, row.address, at=row.created_at)
    ):
        return f"{Reason.SUPPRESSED_ADDRESS.label}: {cause}"
    return str(Reason(row.reason).label) if row.reason else ""


def _line(text: str, *, channel: str = "", state: str = "", reason: str = "", at: datetime | None = None) -> Line:
    return Line(text=text, basis=Basis.RE_EVALUATED, channel=channel, state=str(state), reason=str(reason), at=at)
