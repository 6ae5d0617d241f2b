"""
What publishing would do, without doing it: the planner over events that are not stored. Writes nothing.

It is planned for the instant at which it is due, with today's data. What others do until then is not foreseen: who
reaches a cap, which digest is opened, what is paused. Those parts are estimates.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from notifications.channels import segments
from notifications.exceptions import RenderError
from notifications.pipeline import capping, digesting, outbox, pausing, wording
from notifications.pipeline.outbox import Identity
from notifications.pipeline.planning import plan_events
from notifications.pipeline.sharing import Wordings
from notifications.types import Channel, DeliveryState, Reason
from notifications.values import Departure, DryRun, Forecast, Rendered, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from notifications.models import Delivery, Event
    from notifications.pipeline.drafting import Draft
    from notifications.pipeline.pausing import Held
    from notifications.pipeline.planning import Planned, Told
    from notifications.pipeline.recipients import Chunk
    from notifications.values import Content

#: Renderings of each channel that are kept.
SAMPLES = 3
#: Events that are planned together.
BATCH = 50


def dry_run(drafted: Draft, chunks: Iterable[Chunk], *, audience: str = "") -> DryRun:
    """Return what publishing would do, batch by batch: in constant memory, whatever the length."""
    identity = Identity(drafted, audience) if audience else Identity(drafted)
    tally = _Tally()
    for planned in _plans(drafted, chunks if audience else identity.reading(chunks)):
        tally.add(planned)
    stored = outbox.repeated(drafted, identity) if audience or tally.numbers["recipients"] else None
    held = pausing.current(drafted.created_at)
    return DryRun(
        template=drafted.template,
        at=drafted.due_at,
        event_count=tally.numbers["events"],
        recipient_count=tally.numbers["recipients"],
        duplicate_count=tally.numbers["duplicates"],
        unknown_count=tally.numbers["unknown"],
        inactive_count=tally.numbers["inactive"],
        channels=tuple(tally.forecasts(held)),
        samples=tuple(sorted(tally.samples.values(), key=lambda sample: Channel.values.index(sample.channel))),
        paused=held.over(drafted.template),
        repeats=None if stored is None else stored.pk,
    )


def foresee(events: list[Event], *, now: datetime) -> list[Planned]:
    """Decide what dispatch would, about events that need not be stored; count nothing, open no digest."""
    batch = plan_events(events, now=now)
    capping.foresee(batch, now=now)
    digesting.foresee(batch, now=now)
    return batch


def _plans(drafted: Draft, chunks: Iterable[Chunk]) -> Iterator[Planned]:
    events = (outbox.event_with(drafted, chunk) for chunk in chunks)
    while batch := list(islice(events, BATCH)):
        yield from foresee(batch, now=drafted.due_at)


class _Tally:
    """What is kept of each planned event: numbers, and a few samples."""

    def __init__(self) -> None:
        self.numbers: Counter[str] = Counter()
        #: There are as many instants as minutes in a week, at most, and reasons.
        self._going: Counter[tuple[str, datetime, Reason | None]] = Counter()
        self._suppressed: Counter[tuple[str, Reason]] = Counter()
        self._unworded: Counter[str] = Counter()
        self._segments: Counter[str] = Counter()
        #: (channel, content, language) → sample
        self.samples: dict[tuple[str, int, str], Sample] = {}
        self._wordings = Wordings()

    def add(self, planned: Planned) -> None:
        """Count an event and all that comes of it."""
        self.numbers.update(
            events=1,
            recipients=len(planned.event.recipients),
            duplicates=planned.event.duplicate_count,
            unknown=planned.unknown_count,
            inactive=planned.inactive_count,
        )
        for told in planned.told:
            for row in told.deliveries:
                self._count(row, told, planned.event)

    def forecasts(self, held: Held) -> Iterator[Forecast]:
        """Return what was counted, for each channel that somebody is told, or not told, by."""
        named = {channel for channel, *_ in (*self._going, *self._suppressed)} | self._unworded.keys()
        for channel in (channel for channel in Channel.values if channel in named):
            going = [
                Departure(at=at, reason=reason, number=number)
                for (name, at, reason), number in self._going.items()
                if name == channel
            ]
            yield Forecast(
                channel=channel,
                going=tuple(sorted(going, key=lambda departure: (departure.at, departure.reason or ""))),
                suppressed={reason: number for (name, reason), number in self._suppressed.items() if name == channel},
                unworded=self._unworded[channel],
                segments=self._segments[channel],
                paused=held.over_channel(channel),
            )

    def _count(self, row: Delivery, told: Told, event: Event) -> None:
        if row.state == DeliveryState.SUPPRESSED:
            self._suppressed[row.channel, Reason(row.reason)] += 1
            return
        sample = self._sample(row, told, event)
        if sample.rendered is None:
            self._unworded[row.channel] += 1
            return
        self._segments[row.channel] += sample.segments
        self._going[row.channel, row.due_at, Reason(row.reason) if row.reason else None] += 1

    def _sample(self, row: Delivery, told: Told, event: Event) -> Sample:
        """Return the words of a delivery; keep them if the channel has few, and none like them."""
        contents = wording.contents_of([row.version_id or 0])[row.version_id or 0]
        content = wording.pick(contents, row.channel, told.recipient.locale)
        language = wording.language(content, told.recipient.locale)
        rendered, error = None, ""
        try:
            rendered = self._render(row, told, event, content)
        except RenderError as e:
            error = str(e)
        sample = Sample(
            channel=row.channel,
            language=language,
            recipient=str(told.recipient.pk),
            rendered=rendered,
            error=error,
            segments=len(segments.split(rendered.body)) if rendered and row.channel == Channel.SMS else 0,
        )
        key = (row.channel, content.id, language)
        if key not in self.samples and sum(channel == row.channel for channel, *_ in self.samples) < SAMPLES:
            self.samples[key] = sample
        return sample

    def _render(self, row: Delivery, told: Told, event: Event, content: Content) -> Rendered:
        if row.state == DeliveryState.FAILED:
            raise RenderError(row.last_error)
        if row.channel == Channel.IN_APP:
            return Rendered(title=told.notification.title, body=told.notification.body)
        # All events say the same: what does not name its reader is rendered once.
        return self._wordings.render(event, content, told.recipient.reader, said="dry run")
