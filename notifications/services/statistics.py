"""
What became of what was made: over a day by the hour, over a week or a month by the day of UTC.

Read from the counts that `maintenance.rollup` keeps, so it costs the same however many rows there are. A delivery belongs
to the hour in which it was decided; its state is that of the last count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import Sum, TextChoices
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.models import DailyStat, HourlyCount
from notifications.types import DeliveryState, EventState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SENT = frozenset({DeliveryState.SENT.value, DeliveryState.DIGESTED.value})
FAILED = frozenset({DeliveryState.FAILED.value, DeliveryState.UNKNOWN.value})
OPEN = frozenset({DeliveryState.PENDING.value, DeliveryState.SENDING.value})


class Window(TextChoices):
    """How far back the figures go."""

    DAY = "24h", _("24 hours")
    WEEK = "7d", _("7 days")
    MONTH = "30d", _("30 days")


_DAYS = {Window.WEEK: 7, Window.MONTH: 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Deliveries, by how they ended."""

    #: Also as part of a digest.
    sent: int = 0
    #: Also those of which nobody knows.
    failed: int = 0
    #: Decided not to be sent, cancelled, expired.
    withheld: int = 0
    #: Not over.
    open: int = 0

    @property
    def other(self) -> int:
        """Return how many were neither sent nor failed."""
        return self.withheld + self.open

    @property
    def all(self) -> int:
        """Return how many there are."""
        return self.sent + self.failed + self.other


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """An hour or a day."""

    begins_at: datetime
    #: By channel; those without a delivery are left out.
    volumes: dict[str, Volume]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Deliveries that failed for the same reason by the same channel."""

    channel: str
    state: DeliveryState
    #: Empty: nobody knows whether it was sent.
    reason: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What became of what was made in a window."""

    window: Window
    #: The oldest first, the last one not over yet.
    periods: list[Period]
    #: By channel, of all of it.
    totals: dict[str, Volume]
    #: The most numerous first.
    failures: list[Failure]


@dataclass(slots=True)
class _Sums:
    by_period: defaultdict[datetime, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    failures: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, period: datetime, channel: str, state: str, reason: str, number: int) -> None:
        self.by_period[period][channel, state] += number
        if state in FAILED:
            self.failures[channel, state, reason] += number


def of(window: Window, *, now: datetime) -> Statistics:
    """Return what became of what was made in a window that ends now: one statement."""
    starts, sums = _starts(window, now), _Sums()
    for line in _by_hour(starts[0]) if window == Window.DAY else _by_day(starts[0]):
        sums.add(*line)
    everything: Counter[tuple[str, str]] = Counter()
    for numbers in sums.by_period.values():
        everything.update(numbers)
    return Statistics(
        window=window,
        periods=[Period(begins_at=start, volumes=_volumes(sums.by_period[start])) for start in starts],
        totals=_volumes(everything),
        failures=[
            Failure(channel=channel, state=DeliveryState(state), reason=reason, number=number)
            for (channel, state, reason), number in sums.failures.most_common()
        ],
    )


def of_templates(codes: Iterable[str], *, days: int = 7, now: datetime | None = None) -> dict[str, Volume]:
    """Return the deliveries of these templates made today and on the days before, `days` together: one statement."""
    first = (now or clock.now()).astimezone(UTC).date() - timedelta(days=days - 1)
    wanted = list(codes)
    rows = DailyStat.objects.filter(day__gte=first, template__in=wanted).order_by()
    numbers: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for template, state, number in rows.values_list("template", "state").annotate(total=Sum("number")):
        numbers[template]["", state] += number
    return {code: _volumes(numbers[code]).get("", Volume()) for code in wanted}


def lately(*, now: datetime) -> tuple[Counter[tuple[str, int, str]], Counter[tuple[int, str]]]:
    """
    Return what was made in the last 24 hours, in one statement.

    Deliveries by channel, priority and state; events by priority and state.
    """
    deliveries: Counter[tuple[str, int, str]] = Counter()
    events: Counter[tuple[int, str]] = Counter()
    rows = HourlyCount.objects.filter(hour__gte=begin_of(Window.DAY, now=now))
    for of_deliveries, of_events in rows.values_list("deliveries", "events"):
        for _template, channel, priority, state, _reason, number in of_deliveries:
            deliveries[channel, priority, state] += number
        for priority, state, number in of_events:
            events[priority, EventState(state)] += number
    return deliveries, events


def begin_of(window: Window, *, now: datetime) -> datetime:
    """Return when a window that ends now begins: with a whole hour, or a whole day of UTC."""
    return _starts(window, now)[0]


def _starts(window: Window, now: datetime) -> list[datetime]:
    """Return when each hour or day of a window begins; it ends with the one that is under way."""
    now = now.astimezone(UTC)
    if window == Window.DAY:
        last = now.replace(minute=0, second=0, microsecond=0)
        return [last - number * HOUR for number in reversed(range(24))]
    midnight = datetime.combine(now.date(), time(), tzinfo=UTC)
    return [midnight - number * DAY for number in reversed(range(_DAYS[window]))]


def _by_hour(first: datetime) -> Iterator[tuple[datetime, str, str, str, int]]:
    for hour, lines in HourlyCount.objects.filter(hour__gte=first).values_list("hour", "deliveries"):
        for _template, channel, _priority, state, reason, number in lines:
            yield hour, channel, state, reason, number


def _by_day(first: datetime) -> Iterator[tuple[datetime, str, str, str, int]]:
    rows = DailyStat.objects.filter(day__gte=first.date()).order_by().values_list("day", "channel", "state", "reason")
    for day, channel, state, reason, number in rows.annotate(total=Sum("number")):
        yield datetime.combine(day, time(), tzinfo=UTC), channel, state, reason, number


def _volumes(numbers: Counter[tuple[str, str]]) -> dict[str, Volume]:
    """Return the volume of each channel."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (channel, state), number in numbers.items():
        found[channel][_kind(state)] += number
    return {channel: Volume(**kinds) for channel, kinds in sorted(found.items())}


def _kind(state: str) -> str:
    kinds = {"sent": SENT, "failed": FAILED, "open": OPEN}
    return next((kind for kind, states in kinds.items() if state in states), "withheld")
