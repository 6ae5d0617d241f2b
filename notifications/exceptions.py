"""Every error the system raises. The docstring is the default message."""

from __future__ import annotations

from datetime import timedelta

from notifications.types import Reason


class NotificationError(Exception):
    """Something is wrong with a notification."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class PublishError(NotificationError, ValueError):
    """The event was refused; nothing was stored."""


class UnknownTemplate(PublishError):
    """There is no template with this code."""


class WrongVariables(PublishError):
    """The variables do not match what the template declares."""


class NotPlainData(PublishError):
    """The value is not plain JSON, or too large."""


class UnsafeLink(PublishError):
    """The link is neither http(s) nor a path on this site."""


class UnknownChannel(PublishError):
    """There is no channel with this name."""


class UnknownPriority(PublishError):
    """There is no priority with this name."""


class WrongTime(PublishError):
    """The time given cannot be used."""


class WrongRecipients(PublishError):
    """The recipients given cannot be used."""


class UnknownAudience(PublishError):
    """There is no audience with this name."""


class IdempotencyConflict(PublishError):
    """The idempotency key was used before, for another request."""


class WrongPreference(NotificationError, ValueError):
    """
    The wish cannot be granted.

    `field` is which part of it is wrong, such as cadence or address/url; empty: all of it.
    """

    def __init__(self, message: str | None = None, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ActionRefused(NotificationError):
    """This cannot be done now. The message is shown to the person who pressed the button."""


class RenderError(NotificationError):
    """The wording could not be rendered."""


class TemplateRefused(RenderError):
    """The wording uses something templates may not use. `line` counts from 1; None: unknown."""

    def __init__(self, message: str | None = None, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class DeliveryError(NotificationError):
    """A message was not accepted. `code` is the provider's own word (no address, no body)."""

    def __init__(self, message: str | None = None, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class TransientError(DeliveryError):
    """The provider could not take it now; try again."""

    def __init__(self, message: str | None = None, *, code: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class ThrottledError(TransientError):
    """The provider has had enough of us for now; try again later, and count no try."""


class PermanentError(DeliveryError):
    """
    The provider will never take it.

    `suppress`: not this message but the address is at fault; nothing may be sent to it any more.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str = "",
        reason: Reason = Reason.REJECTED,
        suppress: bool = False,
    ) -> None:
        super().__init__(message, code=code)
        self.reason, self.suppress = reason, suppress


class MisconfiguredError(DeliveryError):
    """Our own set-up is wrong: credentials, sender, quota."""


class AmbiguousError(DeliveryError):
    """No answer came; the provider may have taken it."""
