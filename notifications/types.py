"""The words of the system: states, channels, priorities, reasons."""

from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Priority(IntegerChoices):
    """How soon. Numbers, because text would sort wrongly; the smaller goes first."""

    URGENT = 0, _("urgent")
    HIGH = 1, _("high")
    NORMAL = 2, _("normal")
    LOW = 3, _("low")


class Channel(TextChoices):
    """A way out to a recipient."""

    IN_APP = "in_app", _("in-app")
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("text message")
    WEB_PUSH = "web_push", _("push")
    CHAT = "chat", _("chat")
    WEBHOOK = "webhook", _("webhook")


class Cadence(TextChoices):
    """How often a recipient wants to hear of something on a channel."""

    IMMEDIATELY = "immediately", _("immediately")
    HOURLY = "hourly", _("once an hour")
    DAILY = "daily", _("once a day")
    WEEKLY = "weekly", _("once a week")
    OFF = "off", _("never")


class QuietPolicy(TextChoices):
    """What of a category may be sent in a recipient's quiet hours; the rest waits for their end."""

    NOTHING = "nothing", _("nothing")
    URGENT = "urgent", _("what is urgent")
    EVERYTHING = "everything", _("everything")


class Level(TextChoices):
    """Who decided whether, and how often, something is sent by a channel: from the strongest to the weakest."""

    REQUIRED = "required", _("the category is required")
    TEMPLATE = "template", _("the recipient's wish for this kind of message")
    CATEGORY = "category", _("the recipient's wish for the category")
    DEFAULT = "default", _("the default of the category")


class ConsentSource(TextChoices):
    """Where a recipient's wish was changed."""

    CODE = "code", _("business code")
    API = "api", _("their preferences")
    ADMIN = "admin", _("staff")
    UNSUBSCRIBE = "unsubscribe", _("an unsubscribe link")


class Source(TextChoices):
    """Who published an event."""

    CODE = "code", _("business code")
    API = "api", _("API")
    ADMIN = "admin", _("admin")
    LEGACY = "legacy", _("legacy producer")


class InboxStatus(TextChoices):
    """Parts of an inbox."""

    UNREAD = "unread", _("unread")
    READ = "read", _("read")
    ARCHIVED = "archived", _("archived")
    SNOOZED = "snoozed", _("snoozed")


class EventState(TextChoices):
    """Where an event is. The diagram is in docs/lifecycle.md."""

    #: Committed, waiting for its `due_at`. Dispatch takes it out.
    PENDING = "pending", _("pending")
    #: Claimed by a dispatch drain. Its lease holder takes it out, or the reclaimer.
    DISPATCHING = "dispatching", _("dispatching")
    #: Its notifications and deliveries are written. Final.
    DISPATCHED = "dispatched", _("dispatched")
    #: Called back by `cancel_event` before dispatch. Final.
    CANCELLED = "cancelled", _("cancelled")
    #: `expires_at` passed before dispatch. Final.
    EXPIRED = "expired", _("expired")
    #: Could not be dispatched; `last_error` says why. Staff may send it round again.
    FAILED = "failed", _("failed")


class BroadcastState(TextChoices):
    """Where a broadcast is. The diagram is in docs/lifecycle.md."""

    #: Committed, waiting for its `due_at`, for a slot, or for its next claim. An expansion drain takes it out.
    PENDING = "pending", _("pending")
    #: Claimed by an expansion drain. Its lease holder takes it out, or the reclaimer.
    EXPANDING = "expanding", _("expanding")
    #: The first few are told; it waits for staff to let it go on, or to cancel it.
    CANARY = "canary", _("waiting after the first few")
    #: All its events are there. Final.
    EXPANDED = "expanded", _("expanded")
    #: Called back by `cancel_broadcast` before all its events were there. Final.
    CANCELLED = "cancelled", _("cancelled")
    #: `expires_at` passed before all its events were there. Final.
    EXPIRED = "expired", _("expired")
    #: Could not be expanded; `last_error` says why. Staff may send it round again.
    FAILED = "failed", _("failed")


class DigestState(TextChoices):
    """Where a digest is."""

    #: Collecting until its `due_at`.
    OPEN = "open", _("open")
    #: Closed, and handed over to a delivery of its own. Final.
    CLOSED = "closed", _("closed")
    #: Nothing was left in it when it was due. Final.
    EMPTY = "empty", _("empty")


class DeliveryState(TextChoices):
    """Where a delivery is. The diagram is in docs/lifecycle.md."""

    #: Waiting for its `due_at`: new, deferred, or between two tries. A delivery drain takes it out.
    PENDING = "pending", _("pending")
    #: Claimed by a delivery drain. Its lease holder takes it out, or the reclaimer.
    SENDING = "sending", _("sending")
    #: The provider accepted it (in-app: the inbox row is committed). Final.
    SENT = "sent", _("sent")
    #: The provider refused it for good, or every try was used. Staff may send it round again.
    FAILED = "failed", _("failed")
    #: The worker died inside the provider call of an at-most-once channel. A person decides.
    UNKNOWN = "unknown", _("unknown")
    #: Decided not to be sent; `reason` says why. Final.
    SUPPRESSED = "suppressed", _("suppressed")
    #: Called back before it was claimed. Final.
    CANCELLED = "cancelled", _("cancelled")
    #: `expires_at` passed before it could be sent. Final.
    EXPIRED = "expired", _("expired")
    #: Sent as part of a digest. Final.
    DIGESTED = "digested", _("digested")


class Reason(TextChoices):
    """Why a route or a delivery is what it is: the closed list, stored and shown to people."""

    NO_ADDRESS = "no_address", _("the recipient has no address on this channel")
    RECIPIENT_INACTIVE = "recipient_inactive", _("the recipient's account is inactive")
    CHANNEL_NOT_CONFIGURED = "channel_not_configured", _("the channel is not set up here")
    NO_CONTENT = "no_content", _("the template has no wording for this channel")
    CATEGORY_OFF = "category_off", _("the recipient switched this category off")
    TEMPLATE_OFF = "template_off", _("the recipient switched this kind of message off")
    DEFAULT_OFF = "default_off", _("this category is sent only to those who want it")
    MUTED = "muted", _("the recipient muted what this is about")
    FREQUENCY_CAP = "frequency_cap", _("the recipient has had enough of this category for the day")
    DIGEST = "digest", _("collected, to be sent together with others")
    ESCALATION = "escalation", _("waiting whether it is read in the app")
    READ = "read_elsewhere", _("it was read in the app")
    RESOLVED = "resolved", _("what it was about was settled")
    NO_LONGER_VALID = "no_longer_valid", _("it was no longer true when it was to be sent")
    GUARD_ERROR = "guard_error", _("nobody could tell whether it was still true")
    QUIET_HOURS = "quiet_hours", _("waiting for the end of the recipient's quiet hours")
    TEMPLATE_DISABLED = "template_disabled", _("staff disabled the template")
    DISPATCH_ERROR = "dispatch_error", _("the event could not be dispatched")
    EXPANSION_ERROR = "expansion_error", _("the audience could not be told")
    RENDER_ERROR = "render_error", _("the wording could not be rendered")
    REJECTED = "rejected", _("the provider refused it")
    RETRIES_EXHAUSTED = "retries_exhausted", _("every try failed")
    RETRY = "retry", _("waiting for the next try")
    EVENT_CANCELLED = "event_cancelled", _("the event was cancelled")
    STAFF_CANCELLED = "staff_cancelled", _("staff called it back")
    EXPIRED = "expired_before_send", _("it expired before it could be sent")
    WORKER_CRASHED = "worker_crashed", _("it ended its worker process too often")
    BAD_PAYLOAD = "bad_payload", _("the legacy event could not be read")
    CONTENT_GONE = "content_gone", _("its content is no longer kept")
    SUPPRESSED_ADDRESS = "suppressed_address", _("nothing may be sent to this address")
    ENDPOINT_GONE = "endpoint_gone", _("the address is gone")
    INVALID_ADDRESS = "invalid_address", _("this is no address of this channel")
    TOO_LONG = "too_long", _("it is longer than the channel takes")
    HARD_BOUNCE = "hard_bounce", _("the address does not exist")
    COMPLAINT = "complaint", _("the recipient reported it as unwanted")
    UNSUBSCRIBED = "unsubscribed", _("the recipient unsubscribed")
    RECIPIENT_ERASED = "recipient_erased", _("the recipient's data were erased")


class ErasureStep(TextChoices):
    """What an erasure is at: in this order, so that nothing new comes of what is old."""

    #: No event names the person any more.
    EVENTS = "events", _("events")
    #: Their inbox, with the deliveries of it.
    NOTIFICATIONS = "notifications", _("notifications")
    #: The deliveries without an inbox item: digests, and what retention left.
    DELIVERIES = "deliveries", _("deliveries")
    #: The deliveries to their addresses that name no user.
    DIRECT = "direct", _("direct deliveries")
    #: Wishes, settings, endpoints, history, suppressions.
    REST = "rest", _("wishes, settings and addresses")
    #: Over.
    DONE = "done", _("done")


class PauseScope(TextChoices):
    """What a pause holds."""

    EVERYTHING = "everything", _("everything")
    TEMPLATE = "template", _("a template")
    CATEGORY = "category", _("a category")
    CHANNEL = "channel", _("a channel")
    BACKEND = "backend", _("a backend")
    BROADCAST = "broadcast", _("a broadcast")


class PauseOrigin(TextChoices):
    """Who paused."""

    STAFF = "staff", _("staff")
    BREAKER = "breaker", _("circuit breaker")


class Outcome(TextChoices):
    """How one attempt ended."""

    SENT = "sent", _("sent")
    TRANSIENT = "transient", _("failed, will be tried again")
    PERMANENT = "permanent", _("refused")
    MISCONFIGURED = "misconfigured", _("our set-up is wrong")
    AMBIGUOUS = "ambiguous", _("no answer; may have been sent")


class SuppressionSource(TextChoices):
    """Who said that an address must not be used."""

    ADAPTER = "adapter", _("the provider, when it was sent to")
    PROVIDER = "provider", _("the provider, afterwards")
    STAFF = "staff", _("staff")


class Feedback(TextChoices):
    """What a provider told of a message afterwards."""

    DELIVERED = "delivered", _("delivered")
    BOUNCED = "bounced", _("bounced")
    #: A text message that reached nobody.
    FAILED = "failed", _("not delivered")
    COMPLAINED = "complained", _("reported as unwanted")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed at the provider")
    OPENED = "opened", _("opened")
    CLICKED = "clicked", _("a link was followed")
