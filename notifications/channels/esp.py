"""Mail services by django-anymail (the extra `anymail`): what its errors mean. Imported only where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import requests
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.core.exceptions import ImproperlyConfigured

from notifications.channels.http import error_of, safe_code
from notifications.channels.mail_connections import MailConnection
from notifications.exceptions import (
    AmbiguousError,
    DeliveryError,
    MisconfiguredError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from notifications.types import Reason

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

#: Their own words for what is wrong with our account, sender or credentials, and not with a message.
#: Postmark: https://postmarkapp.com/developer/api/overview#error-codes (2026-11-25): token, sender, credits, approval.
#: Amazon SES: the errors of SendEmail (API v2), and the common errors of AWS about credentials.
_OURS = frozenset(("10", "400", "401", "405", "412", "413")) | frozenset((
    "AccountSuspendedException", "MailFromDomainNotVerifiedException", "NotFoundException", "SendingPausedException",
    "AccessDeniedException", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException",
    "MissingAuthenticationTokenException", "SignatureDoesNotMatch", "UnrecognizedClientException",
))  # fmt: skip
_THROTTLED = frozenset(("LimitExceededException", "Throttling", "ThrottlingException", "TooManyRequestsException"))
#: Of requests and botocore: nothing was sent.
_NOT_SENT = frozenset(("ConnectTimeout", "ConnectTimeoutError", "EndpointConnectionError", "NewConnectionError"))
#: Of botocore: it looked for credentials, a region or a set-up, and found none.
_NOT_SET_UP = frozenset((
    "NoCredentialsError", "NoRegionError", "PartialCredentialsError", "ProfileNotFound", "TokenRetrievalError",
))  # fmt: skip


class EspConnection(MailConnection):
    """One of anymail's backends: a session over HTTPS."""

    is_kept: ClassVar[bool] = True
    errors: ClassVar[tuple[type[Exception], ...]] = (AnymailError, ImproperlyConfigured, OSError, ValueError)

    def send(self, mail: EmailMessage) -> str:
        super().send(mail)
        status: Any = getattr(mail, "anymail_status", None)
        # A set, if a message has several; ours have one address.
        own_id = getattr(status, "message_id", None)
        return own_id if isinstance(own_id, str) else ""

    def meaning(self, error: Exception, *, is_open: bool = True) -> DeliveryError:
        if isinstance(error, AnymailRecipientsRefused):
            return _refused(error)
        if isinstance(error, AnymailInvalidAddress):
            message = "The mail service was not asked: it is not one e-mail address."
            return PermanentError(message, code="bad_address", reason=Reason.INVALID_ADDRESS)
        if isinstance(error, AnymailAPIError):
            return _answer(error)
        if not is_open or isinstance(error, ImproperlyConfigured):
            message = "The mail service cannot be used with these settings."
            return MisconfiguredError(message, code=type(error).__name__)
        return super().meaning(error) if isinstance(error, OSError) else _unable(error)


def _refused(error: AnymailRecipientsRefused) -> DeliveryError:
    """Return what a refusal of the address means: services keep lists of those that bounced or complained."""
    status: Any = getattr(error.email_message, "anymail_status", None)
    words = set(getattr(status, "status", None) or ())
    if words == {"rejected"}:
        message = "The mail service does not send to this address any more."
        return PermanentError(message, code="rejected", reason=Reason.HARD_BOUNCE, suppress=True)
    if words == {"invalid"}:
        message = "The mail service finds that this is no e-mail address."
        return PermanentError(message, code="invalid", reason=Reason.INVALID_ADDRESS)
    message = "The mail service refused the address."
    return PermanentError(message, code="refused")


def _answer(error: AnymailAPIError) -> DeliveryError:
    """Return what an answer, or its absence, means. Neither the body nor the exception's text is kept."""
    code, status, headers = _told(error.response)
    if not status:
        return _no_answer(error.__cause__)
    if 200 <= status < 300:
        message = "The answer of the mail service cannot be read."
        return AmbiguousError(message, code=str(status))
    if code in _THROTTLED:
        return ThrottledError(f"The mail service asked to send less ({code}).", code=code)
    if code in _OURS:
        return MisconfiguredError(f"The mail service does not take our account or sender ({code}).", code=code)
    return error_of(status, code, "The mail service", headers)


def _told(response: Any) -> tuple[str, int, dict[str, str]]:
    """Return a service's own code, its status and its headers. botocore gives a dict, the others a response."""
    if isinstance(response, dict):
        about = response.get("ResponseMetadata", {})
        code = safe_code(response.get("Error", {}).get("Code"))
        return code, about.get("HTTPStatusCode", 0), about.get("HTTPHeaders", {})
    if response is None:
        return "", 0, {}
    try:
        body = response.json()
    except ValueError:
        body = None
    # Postmark's name for it; of others, the status says enough.
    code = safe_code(body.get("ErrorCode")) if isinstance(body, dict) else ""
    return code, response.status_code, response.headers


def _no_answer(cause: BaseException | None) -> DeliveryError:
    name = type(cause).__name__
    if name in _NOT_SET_UP:
        message = "The mail service cannot be used with these settings."
        return MisconfiguredError(message, code=name)
    if name in _NOT_SENT or (isinstance(cause, requests.ConnectionError) and "NewConnectionError" in repr(cause.args)):
        message = "The mail service could not be reached."
        return TransientError(message, code=name)
    message = "The mail service gave no answer."
    return AmbiguousError(message, code=name)


def _unable(error: Exception) -> DeliveryError:
    message = "The message cannot be written for this mail service."
    return PermanentError(message, code=type(error).__name__)
