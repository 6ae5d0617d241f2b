"""Where the dashboard's figures lead: to the rows they count, in the log of those rows, for those who may read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.timezone import localtime

from notifications.admin.cells import address_of_list
from notifications.models import Delivery, Event
from notifications.types import DeliveryState, EventState

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from notifications.types import Channel, Priority

#: How a job dashboard calls it → the state of deliveries, of events. What waits is pending, whatever it waits for.
_STATES: dict[str, tuple[DeliveryState, EventState]] = {
    "due": (DeliveryState.PENDING, EventState.PENDING),
    "active": (DeliveryState.SENDING, EventState.DISPATCHING),
    "delayed": (DeliveryState.PENDING, EventState.PENDING),
    "completed": (DeliveryState.SENT, EventState.DISPATCHED),
    "failed": (DeliveryState.FAILED, EventState.FAILED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What somebody may read."""

    deliveries: bool
    events: bool
    pauses: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Links:
        """Return where the figures lead whoever asks."""
        may = request.user.has_perm
        return cls(
            deliveries=may("notifications.view_delivery"),
            events=may("notifications.view_event"),
            pauses=may("notifications.view_pause"),
        )

    def to_rows(self, kind: str, channel: Channel | None, priority: Priority | None = None, **asked: Any) -> str:
        """Return the address of what is `due`, `held`, …; without a channel, of events. Empty: it leads nowhere."""
        if kind == "held":
            return self.to_pauses()
        of_deliveries, of_events = _STATES[kind]
        narrowed = {} if priority is None else {"priority__exact": priority.value}
        if channel is None:
            return self._to_events(state__exact=of_events.value, **narrowed, **asked)
        return self.to_deliveries(state__exact=of_deliveries.value, channel__exact=channel.value, **narrowed, **asked)

    def to_deliveries(self, **asked: Any) -> str:
        """Return the address of the log of deliveries, narrowed. Empty: it may not be read."""
        return address_of_list(Delivery, **asked) if self.deliveries else ""

    def to_pauses(self) -> str:
        """Return the address of what holds. Empty: it may not be read."""
        return reverse("admin:notifications_pause_changelist") if self.pauses else ""

    def _to_events(self, **asked: Any) -> str:
        return address_of_list(Event, **asked) if self.events else ""


def since(begins_at: datetime) -> dict[str, str]:
    """Return how a log is asked for what was made from then on."""
    return {"since": localtime(begins_at).strftime("%Y-%m-%dT%H:%M")}
