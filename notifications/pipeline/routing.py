"""
PURE planner: facts about one recipient and one event → one route per channel, each with its reason.

The same function serves sending, explaining and tests; it reads no clock and no database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notifications.types import Cadence, Channel, DeliveryState, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientFacts:
    """What the planner knows of one recipient."""

    is_active: bool
    #: channel → address; a channel that is not here cannot reach them. In-app needs none.
    addresses: Mapping[str, str]
    #: (category code, channel) → wish
    by_category: Mapping[tuple[str, str], Cadence] = field(default_factory=dict)
    #: (template code, channel) → wish
    by_template: Mapping[tuple[str, str], Cadence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What the planner knows of one event and its template."""

    template: str
    category: str
    #: People cannot switch the category off.
    is_required: bool
    #: Staff switched the template off.
    is_disabled: bool
    #: Channels the event names; None: all that have wording.
    channels: tuple[str, ...] | None
    #: Channels the live version has wording for.
    worded: frozenset[str]
    #: Channels that are set up here.
    configured: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The verdict for one recipient and one channel: when, or why not."""

    channel: str
    address: str
    #: `pending`: send at `due_at`; `sent`: in-app, listed at once; `suppressed`: see `reason`.
    state: DeliveryState
    due_at: datetime
    reason: Reason | None = None


def plan(event: EventFacts, recipient: RecipientFacts, *, now: datetime) -> list[Route]:
    """Return one route for each channel the event asks for, in the order of `Channel`."""
    wanted = event.worded if event.channels is None else frozenset(event.channels)
    return [_route(channel, event, recipient, now) for channel in Channel.values if channel in wanted]


def _route(channel: str, event: EventFacts, recipient: RecipientFacts, now: datetime) -> Route:
    address = recipient.addresses.get(channel, "")
    reason = _why_not(channel, address, event, recipient)
    if reason is not None:
        state = DeliveryState.SUPPRESSED
    elif channel == Channel.IN_APP:
        state = DeliveryState.SENT
    else:
        state = DeliveryState.PENDING
    return Route(channel=channel, address=address, state=state, due_at=now, reason=reason)


def _why_not(channel: str, address: str, event: EventFacts, recipient: RecipientFacts) -> Reason | None:
    """Return the first reason that stands in the way; the order is the one docs/concepts.md gives."""
    checks = (
        (event.is_disabled, Reason.TEMPLATE_DISABLED),
        (channel not in event.worded, Reason.NO_CONTENT),
        (channel not in event.configured, Reason.CHANNEL_NOT_CONFIGURED),
        (not recipient.is_active, Reason.RECIPIENT_INACTIVE),
    )
    for stands, reason in checks:
        if stands:
            return reason
    if not event.is_required and (unwanted := _unwanted(channel, event, recipient)):
        return unwanted
    if channel != Channel.IN_APP and not address:
        return Reason.NO_ADDRESS
    return None


def _unwanted(channel: str, event: EventFacts, recipient: RecipientFacts) -> Reason | None:
    """The wish for the template outweighs the one for its category; no wish: send."""
    by_template = recipient.by_template.get((event.template, channel))
    if by_template is not None:
        return Reason.TEMPLATE_OFF if by_template == Cadence.OFF else None
    by_category = recipient.by_category.get((event.category, channel))
    return Reason.CATEGORY_OFF if by_category == Cadence.OFF else None
