"""The values that cross a floor: what is said, to whom, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol
from uuid import UUID

from notifications.types import PauseScope, Priority, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The wording of one channel in one language, as staff wrote it. `id` is stable: published contents never change."""

    id: int
    channel: str
    locale: str
    #: Subject of an e-mail, heading of an inbox item or push; empty for a text message.
    title: str
    #: Plain text.
    body: str
    #: HTML fragment of an e-mail; empty: derived from `body`.
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What the reader is asked to do: a safe link (absolute, or a path on this site) and its label."""

    url: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whom a content is filled in for. Empty: the site's language, the site's zone."""

    name: str = ""
    #: Language tag such as de-AT.
    locale: str = ""
    #: IANA name.
    time_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How e-mails look: colour (#rrggbb), an absolute picture, and text below everything. Empty: none."""

    brand_color: str = "#1d4ed8"
    logo_url: str = ""
    footer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysOut:
    """Where a reader unsubscribes and says what they want to hear of; absolute, empty: nowhere."""

    unsubscribe_url: str = ""
    preferences_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A content with its variables filled in. `html` is a whole document, or empty on channels without."""

    title: str
    body: str
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One delivery as an adapter sees it: rendered, addressed, and the same on every try."""

    #: Stable over all tries: Message-ID and provider idempotency keys derive from it.
    delivery_id: UUID
    channel: str
    address: str
    priority: Priority
    rendered: Rendered
    action: Action
    category: str
    #: Code of its template; empty: it has none.
    template: str = ""
    #: The inbox item it speaks of; None: there is none.
    notification_id: UUID | None = None
    #: From when nobody wants to read it any more; None: never.
    expires_at: datetime | None = None
    #: What the person registered (push, chat, webhook), where `address` is only the name of it.
    endpoint: Mapping[str, Any] | None = field(default=None, repr=False)
    #: One click, absolute (RFC 8058); empty: the category is required, or nobody can unsubscribe by this channel.
    unsubscribe_url: str = field(default="", repr=False)
    #: Their preferences, without a login, absolute; empty: there is no such page for them.
    preferences_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What business code said, as its own guards see it."""

    template: str
    about: str
    variables: dict[str, Any]
    #: Aware, UTC.
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Whose button was pressed, on what: an action of an inbox item, as business code sees it."""

    #: The user.
    recipient: Any
    template: str
    about: str
    notification_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The provider accepted a message."""

    backend: str
    provider_message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedBatch:
    """The events of a batch. `broadcast_id` is set when it was too long for one event, or a named audience."""

    event_ids: tuple[UUID, ...]
    broadcast_id: UUID | None
    #: None: a named audience, whom nobody has counted yet.
    recipient_count: int | None
    duplicate_count: int
    #: Did this call make it? False: the idempotency key was there already, or there was nobody to tell.
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """How many go out at an instant, and what they wait for until then."""

    at: datetime
    reason: Reason | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What one channel would do."""

    channel: str
    #: By instant; what is not held back has that of the dry run itself.
    going: tuple[Departure, ...]
    suppressed: dict[Reason, int]
    #: Their words cannot be rendered: they would fail.
    unworded: int
    #: Of all its text messages together.
    segments: int
    #: Pauses in force that hold this channel.
    paused: tuple[PauseScope, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The words one recipient would read."""

    channel: str
    #: What the words are filled in with: numbers and dates differ even where the text does not.
    language: str
    #: Primary key as text.
    recipient: str
    #: None: they cannot be rendered; see `error`.
    rendered: Rendered | None
    error: str = ""
    #: Of a text message.
    segments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What publishing would do at `at`, when it is due. Caps, digests and pauses are estimates: time passes until then."""

    template: str
    at: datetime
    event_count: int
    recipient_count: int
    duplicate_count: int
    #: Keys that belong to nobody.
    unknown_count: int
    #: Their accounts are inactive: every channel is suppressed.
    inactive_count: int
    channels: tuple[Forecast, ...]
    #: A few for each channel, in different languages.
    samples: tuple[Sample, ...]
    #: Pauses in force that hold all of it.
    paused: tuple[PauseScope, ...]
    #: The event that the idempotency key stands for already: publishing would make nothing new.
    repeats: UUID | None


class Adapter(Protocol):
    """What the pipeline asks of a channel; `channels.base.ChannelAdapter` is the class to build on."""

    #: How many messages one `send_batch` takes.
    batch_size: ClassVar[int]
    #: Must a crash inside the provider call never become a second message?
    at_most_once: ClassVar[bool]
    #: Does one provider call carry the whole batch?
    sends_together: ClassVar[bool]
    #: Longest time one message may take.
    send_timeout: timedelta
    #: Does one provider answer for all messages?
    one_provider: ClassVar[bool]
    #: Is there nobody to send to without an address?
    needs_address: ClassVar[bool]
    #: How many characters of body it takes; None: any number.
    max_length: ClassVar[int | None]

    def check(self) -> list[str]:
        """Return what is wrong with its options, in words; ask nobody else."""

    def close(self) -> None:
        """Let go of connections."""

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        """Send; yield one receipt or one `DeliveryError` per message, in order, each as soon as it is known."""


#: Plain JSON, as `inputs.plain_json` lets it in.
Variables = dict[str, Any]
