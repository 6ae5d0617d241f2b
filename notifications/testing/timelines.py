"""Time that the test moves: everything that falls due on the way is done, at its instant."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from notifications import clock
from notifications.exceptions import TransientError
from notifications.pipeline.quiet_hours import first_instant, time_zone
from notifications.pipeline.recipients import key_of
from notifications.pipeline.wording import contract
from notifications.registry import channel_names, unknown_channel
from notifications.testing.explaining import instant, story
from notifications.testing.recording import Record, Sent
from notifications.testing.stage import stage
from notifications.testing.work import Work, next_instant
from notifications.types import Channel

try:
    import time_machine
except ImportError as e:
    message = "notifications.testing.timeline moves the clock with time-machine; install it: pip install time-machine"
    raise ImportError(message) from e

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from notifications.exceptions import DeliveryError

#: Instants of one `advance` after which it is plain that they will not end.
MAX_INSTANTS = 5000


class Timeline:
    """A stretch of time, and what is sent in it. Made by `timeline`."""

    def __init__(self, traveller: time_machine.Traveller, zone: ZoneInfo, record: Record) -> None:
        self._traveller = traveller
        self._zone = zone
        self._record = record
        self._work = Work()

    @property
    def now(self) -> datetime:
        """The instant it is, aware, in the zone of the timeline."""
        return clock.now().astimezone(self._zone)

    @property
    def sent(self) -> list[Sent]:
        """What was sent so far, in order, inbox items included."""
        return self._record.sent()

    def run(self) -> None:
        """Do what is due now."""
        self._work.run()

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let so much time pass. A day has 24 hours, also when clocks are changed."""
        self.advance_to(clock.now() + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def advance_to(self, when: str | datetime) -> None:
        """Let time pass until `when`: text in the zone of the timeline, such as "2026-03-29 08:00", or aware."""
        target = instant_of(when, self._zone)
        if target < clock.now():
            there, here = instant(target, self._zone), instant(clock.now(), self._zone)
            raise ValueError(f"{there} is over: it is {here}, and time goes forward only.")
        for _ in range(MAX_INSTANTS):
            self._work.run()
            if clock.now() == target:
                return
            following = next_instant(clock.now())
            self._travel_to(target if following is None else min(following, target))
        message = (
            f"After {MAX_INSTANTS} instants it is only {instant(clock.now(), self._zone)}. "
            "Does something put itself off again and again? Otherwise advance in smaller steps."
        )
        raise RuntimeError(message)

    def fail(
        self, channel: str, *, times: int = 1, with_: DeliveryError | type[DeliveryError] = TransientError
    ) -> None:
        """Let the next tries by a channel fail, `PermanentError` for good, `TransientError` to be tried again."""
        self._record.fail(channel, with_, times)

    def assert_sent(
        self,
        recipient: Any,
        channel: str,
        *,
        template: str | None = None,
        title: str | None = None,
        contains: str = "",
        times: int = 1,
    ) -> list[Sent]:
        """
        Return what a recipient got by a channel; fail, saying what they got and why not more, if not so many `times`.

        `contains`: text in the title, the body or the HTML.
        """
        __tracebackhide__ = True
        found = self._found(recipient, channel, template, title, contains)
        if len(found) != times:
            asked = _asked(channel, template, title, contains)
            raise AssertionError(
                f"{recipient} got it {len(found)} times, not {times}: {asked}\n{self._story(recipient)}"
            )
        return found

    def assert_not_sent(
        self,
        recipient: Any,
        channel: str | None = None,
        *,
        template: str | None = None,
        title: str | None = None,
        contains: str = "",
    ) -> None:
        """Fail, saying what a recipient got, if they got anything like that; `channel` None: by whatever channel."""
        __tracebackhide__ = True
        if self._found(recipient, channel, template, title, contains):
            asked = _asked(channel, template, title, contains)
            raise AssertionError(f"{recipient} got what they should not: {asked}\n{self._story(recipient)}")

    def _found(
        self, recipient: Any, channel: str | None, template: str | None, title: str | None, contains: str
    ) -> list[Sent]:
        # A slip of the pen must not pass as "was not sent".
        if channel is not None and channel not in {*Channel.values, *channel_names()}:
            raise unknown_channel(channel)
        if template is not None:
            contract(template)
        key = key_of(recipient)
        return [
            sent
            for sent in self.sent
            if sent.recipient is not None
            and str(sent.recipient.pk) == key
            and channel in {None, sent.channel}
            and template in {None, sent.template}
            and title in {None, sent.title}
            and any(contains in text for text in (sent.title, sent.body, sent.html))
        ]

    def _story(self, recipient: Any) -> str:
        return f"It is {instant(clock.now(), self._zone)}.\n{story(key_of(recipient), self.sent, self._zone)}"

    def _travel_to(self, at: datetime) -> None:
        self._traveller.move_to(_of_the_site(at))


@contextmanager
def timeline(start: str | datetime, zone: str = "UTC") -> Iterator[Timeline]:
    """
    Let time stand at `start` until it is advanced: text in `zone` (an IANA name), or an aware datetime.

    What is sent meanwhile is kept in `sent` and reaches nobody; no wake-up reaches the broker. Needs the database.
    """
    known_zone = time_zone(zone)
    at = instant_of(start, known_zone)
    record = Record(known_zone)
    with time_machine.travel(_of_the_site(at), tick=False) as traveller, stage(record):
        yield Timeline(traveller, known_zone, record)


def instant_of(when: str | datetime, zone: ZoneInfo) -> datetime:
    """Return an instant in UTC. What clocks show twice is the first of them; what they skip, the end of the skip."""
    given = datetime.fromisoformat(when) if isinstance(when, str) else when
    if given.utcoffset() is not None:
        return given.astimezone(UTC)
    if isinstance(when, str):
        return first_instant(given, zone)
    raise ValueError(f"{when!r} has no time zone; pass an aware datetime, or text in the zone of the timeline.")


def _of_the_site(at: datetime) -> datetime:
    """Return an instant in the zone of the site: time-machine makes the zone it is given that of the process."""
    return at.astimezone(timezone.get_default_timezone())


def _asked(channel: str | None, template: str | None, title: str | None, contains: str) -> str:
    parts = [channel or "anything", template, f"with the title {title!r}" if title is not None else None]
    parts.append(f"containing {contains!r}" if contains else None)
    return " ".join(part for part in parts if part)
