"""
PURE planner: facts about one recipient and one event → one route per channel and address, each with its reason.

The same function serves sending, explaining and tests; it reads no clock and no database.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from notifications.pipeline.cadences import DAYS, next_digest_at
from notifications.pipeline.quiet_hours import QuietHours, next_allowed
from notifications.types import Cadence, Channel, DeliveryState, Level, Priority, QuietPolicy, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime, timedelta

#: Channels that make a sound somewhere. In-app is silent, and a webhook is nobody's bedroom.
AUDIBLE = frozenset({Channel.EMAIL, Channel.SMS, Channel.WEB_PUSH, Channel.CHAT})
#: Channels on which one person may have several addresses, each of them an endpoint.
SEVERAL = frozenset({Channel.WEB_PUSH, Channel.CHAT, Channel.WEBHOOK})


#: Asking the enumeration for them makes a list anew.
_CHANNELS = tuple(Channel.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientFacts:
    """What the planner knows of one recipient."""

    is_active: bool
    #: channel → addresses; a channel that is not here cannot reach them. In-app needs none.
    addresses: Mapping[str, tuple[str, ...]]
    #: (channel, address) that must not be used.
    suppressed: Collection[tuple[str, str]] = frozenset()
    #: (category code, channel) → wish
    by_category: Mapping[tuple[str, str], Cadence] = field(default_factory=dict)
    #: (template code, channel) → wish
    by_template: Mapping[tuple[str, str], Cadence] = field(default_factory=dict)
    #: object → muted until; None: for ever
    mutes: Mapping[str, datetime | None] = field(default_factory=dict)
    #: IANA name
    time_zone: str = "UTC"
    quiet: QuietHours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How long a template collects what comes after the first."""

    length: timedelta
    #: Each begins the window anew, for at most so long; None: it does not slide.
    longest: timedelta | None = None
    #: The first goes out at once, the rest is collected.
    first_now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What a route is collected by."""

    key: str
    #: None: by the recipient's cadence, until `due_at` of the route.
    window: Window | None = None


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
    #: Of them, those that have somebody to send to without an address: a room, a screen.
    addressless: frozenset[str] = frozenset()
    priority: Priority = Priority.NORMAL
    #: What it is about; empty: nothing that could be muted.
    about: str = ""
    #: channel → cadence for those without a wish
    defaults: Mapping[str, Cadence] = field(default_factory=dict)
    quiet_policy: QuietPolicy = QuietPolicy.URGENT
    #: channel → how long to wait whether it is read in the app
    escalation: Mapping[str, timedelta] = field(default_factory=dict)
    #: How the template collects; None: each is sent on its own.
    window: Window | None = None
    #: What is collected together, of those of the template.
    digest_key: str = ""
    #: Is it still true? Business code says.
    is_valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How often something is sent by a channel, and who decided that."""

    cadence: Cadence
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The verdict for one recipient, one channel and one address: when, or why not."""

    channel: str
    address: str
    #: `pending`: send at `due_at`; `sent`: in-app, listed at once; `suppressed`: see `reason`.
    state: DeliveryState
    due_at: datetime
    reason: Reason | None = None
    #: Collected with others; `due_at` is then when the digest is, if it is opened now.
    hold: Hold | None = None


#: Who decided that something is off → the reason that says so.
_OFF = {
    Level.TEMPLATE: Reason.TEMPLATE_OFF,
    Level.CATEGORY: Reason.CATEGORY_OFF,
    Level.DEFAULT: Reason.DEFAULT_OFF,
}


def plan(event: EventFacts, recipient: RecipientFacts, *, now: datetime, is_capped: bool = False) -> list[Route]:
    """
    Return one route for each channel the event asks for and each address there, in the order of `Channel`.

    `is_capped`: the recipient has had the day's number of the category; the inbox gets it all the same.
    """
    wanted = event.worded if event.channels is None else frozenset(event.channels)
    routes = [
        _route(channel, address, event, recipient, now, is_capped)
        for channel in _CHANNELS
        if channel in wanted
        for address in recipient.addresses.get(channel) or ("",)
    ]
    is_in_app = any(route.channel == Channel.IN_APP and route.state == DeliveryState.SENT for route in routes)
    return [_escalated(route, event, now) for route in routes] if is_in_app else routes


def wish(event: EventFacts, recipient: RecipientFacts, channel: str) -> Wish:
    """Return how often something is sent by a channel: the first level that has a word decides."""
    if event.is_required:
        return Wish(cadence=Cadence.IMMEDIATELY, level=Level.REQUIRED)
    by_template = recipient.by_template.get((event.template, channel))
    if by_template is not None:
        return Wish(cadence=by_template, level=Level.TEMPLATE)
    by_category = recipient.by_category.get((event.category, channel))
    if by_category is not None:
        return Wish(cadence=by_category, level=Level.CATEGORY)
    return Wish(cadence=event.defaults.get(channel, Cadence.IMMEDIATELY), level=Level.DEFAULT)


def quiet_until(event: EventFacts, recipient: RecipientFacts, channel: str, *, now: datetime) -> datetime | None:
    """Return when the recipient's quiet hours end; None: they do not stand in the way now."""
    if recipient.quiet is None or channel not in AUDIBLE or event.quiet_policy == QuietPolicy.EVERYTHING:
        return None
    if event.quiet_policy == QuietPolicy.URGENT and event.priority == Priority.URGENT:
        return None
    allowed = next_allowed(now, recipient.quiet, recipient.time_zone)
    return None if allowed == now else allowed


def no_longer(event: EventFacts, recipient: RecipientFacts, channel: str, *, now: datetime) -> Reason | None:
    """Return why a delivery that was planned a while ago is not wanted any more; None: it is."""
    if event.is_disabled:
        return Reason.TEMPLATE_DISABLED
    if not event.is_valid:
        return Reason.NO_LONGER_VALID
    if not recipient.is_active:
        return Reason.RECIPIENT_INACTIVE
    return None if event.is_required else _unwanted(channel, event, recipient, now)


def _escalated(route: Route, event: EventFacts, now: datetime) -> Route:
    """Put a route off until it is known whether it is read in the app; quiet hours are looked at then."""
    wait = event.escalation.get(route.channel)
    if wait is None or route.state != DeliveryState.PENDING or route.hold is not None:
        return route
    return replace(route, due_at=now + wait, reason=Reason.ESCALATION)


def _route(
    channel: str, address: str, event: EventFacts, recipient: RecipientFacts, now: datetime, is_capped: bool
) -> Route:
    reason = _why_not(channel, address, event, recipient, now, is_capped)
    if reason is not None:
        return Route(channel=channel, address=address, state=DeliveryState.SUPPRESSED, due_at=now, reason=reason)
    if channel == Channel.IN_APP:
        return Route(channel=channel, address=address, state=DeliveryState.SENT, due_at=now)
    hold = _hold(channel, address, event, recipient)
    if hold is not None:
        until = _collected_until(hold, wish(event, recipient, channel).cadence, recipient, now)
        state, reason = DeliveryState.PENDING, Reason.DIGEST
        return Route(channel=channel, address=address, state=state, due_at=until, reason=reason, hold=hold)
    later = quiet_until(event, recipient, channel, now=now)
    return Route(
        channel=channel,
        address=address,
        state=DeliveryState.PENDING,
        due_at=later or now,
        reason=Reason.QUIET_HOURS if later else None,
    )


def _hold(channel: str, address: str, event: EventFacts, recipient: RecipientFacts) -> Hold | None:
    """Return what a route is collected by: the recipient's cadence, else the template's window; urgent: nothing."""
    if channel not in AUDIBLE or event.priority == Priority.URGENT:
        return None
    # Each endpoint has a digest of its own.
    suffix = f"@{address}" if channel in SEVERAL else ""
    cadence = wish(event, recipient, channel).cadence
    if cadence in DAYS:
        return Hold(key=f"{cadence}:{event.category}{suffix}")
    if event.window is not None:
        return Hold(key=f"{event.template}:{event.digest_key}{suffix}", window=event.window)
    return None


def _collected_until(hold: Hold, cadence: Cadence, recipient: RecipientFacts, now: datetime) -> datetime:
    if hold.window is not None:
        return now + hold.window.length
    return next_digest_at(now, cadence, recipient.time_zone)


def _why_not(
    channel: str, address: str, event: EventFacts, recipient: RecipientFacts, now: datetime, is_capped: bool
) -> Reason | None:
    """Return the first reason that stands in the way; the order is the one docs/preferences.md gives."""
    if closed := _closed(channel, event):
        return closed
    if not recipient.is_active:
        return Reason.RECIPIENT_INACTIVE
    if not event.is_required and (unwanted := _unwanted(channel, event, recipient, now)):
        return unwanted
    if channel == Channel.IN_APP:
        return None
    if not address and channel not in event.addressless:
        return Reason.NO_ADDRESS
    # Also of required categories: it would not arrive, or was asked to stop by whoever owns it.
    if (channel, address) in recipient.suppressed:
        return Reason.SUPPRESSED_ADDRESS
    return Reason.FREQUENCY_CAP if is_capped and not event.is_required else None


def _closed(channel: str, event: EventFacts) -> Reason | None:
    """Return what stands in the way of a channel, whoever the recipient is."""
    if event.is_disabled:
        return Reason.TEMPLATE_DISABLED
    if not event.is_valid:
        return Reason.NO_LONGER_VALID
    if channel not in event.worded:
        return Reason.NO_CONTENT
    return None if channel in event.configured else Reason.CHANNEL_NOT_CONFIGURED


def _unwanted(channel: str, event: EventFacts, recipient: RecipientFacts, now: datetime) -> Reason | None:
    wanted = wish(event, recipient, channel)
    if wanted.cadence == Cadence.OFF:
        return _OFF[wanted.level]
    if event.about and event.about in recipient.mutes:
        until = recipient.mutes[event.about]
        return Reason.MUTED if until is None or until > now else None
    return None
