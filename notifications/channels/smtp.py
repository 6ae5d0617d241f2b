"""SMTP: how far a message came, and what a server's answers mean (RFC 5321 §4.2, RFC 3463)."""

from __future__ import annotations

import re
import smtplib
import ssl
from typing import TYPE_CHECKING, Any

from django.core.mail.backends.smtp import EmailBackend

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
    pass

_ENHANCED = re.compile(r"[45]\.\d{1,3}\.\d{1,3}\b")
#: RFC 3463 §3.2, §3.3 and RFC 7505 §4.2: no such mailbox, no such domain, no address, moved, takes no mail, disabled.
_DEAD = frozenset(("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"))
#: RFC 3463 §3.3, §3.4.
_TOO_LONG = frozenset(("5.2.3", "5.3.4"))
#: RFC 4954 §6, and "must issue STARTTLS" (RFC 3207).
_LOGIN = frozenset((530, 534, 535, 538))
#: What a server refuses here is us, and not a message.
_OURS = (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPSenderRefused)


class _Watched(smtplib.SMTP):
    """Knows whether the server may have a message it gave no answer to."""

    has_sent = False

    def mail(self, *args: Any, **kwargs: Any) -> Any:
        self.has_sent = False
        return super().mail(*args, **kwargs)

    def data(self, msg: Any) -> Any:
        self.has_sent = True
        return super().data(msg)


class _WatchedSsl(smtplib.SMTP_SSL, _Watched):
    """The same, where TLS comes first."""


class SmtpBackend(EmailBackend):
    """Django's, on connections that are watched."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _WatchedSsl if self.use_ssl else _Watched


def smtp_error(error: OSError, *, may_be_sent: bool) -> DeliveryError:
    """Return what an error of smtplib, or of the network, means. The server's text may quote the address: not kept."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _answer(code, text, may_be_sent=False)
    if isinstance(error, smtplib.SMTPResponseException):
        is_ours = isinstance(error, _OURS)
        # Without an answer that can be read after the last byte, nobody knows.
        may_be_sent = isinstance(error, smtplib.SMTPDataError)
        return _answer(error.smtp_code, error.smtp_error, may_be_sent=may_be_sent, is_ours=is_ours)
    return _broken(error, may_be_sent=may_be_sent)


def _broken(error: OSError, *, may_be_sent: bool) -> DeliveryError:
    name = type(error).__name__
    if may_be_sent:
        message = "The mail server gave no answer."
        return AmbiguousError(message, code=name)
    is_refused = isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected)
    if is_refused or isinstance(error, ssl.SSLCertVerificationError):
        message = "The mail server and our settings do not go together."
        return MisconfiguredError(message, code=name)
    message = "The mail server could not be used."
    return TransientError(message, code=name)


def _answer(code: int, text: bytes | str, *, may_be_sent: bool, is_ours: bool = False) -> DeliveryError:
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    found = _ENHANCED.match(words)
    enhanced = found[0] if found else ""
    told = f"{code} {enhanced}".strip()
    if 400 <= code < 500:
        # RFC 3463 §3.8: security or policy, as of greylisting and of who sends too much.
        error = ThrottledError if enhanced.startswith("4.7.") else TransientError
        return error(f"The mail server asked to try later ({told}).", code=told)
    if not 500 <= code < 600:
        return _broken(smtplib.SMTPServerDisconnected(), may_be_sent=may_be_sent)
    if enhanced in _TOO_LONG:
        return PermanentError(
            f"The mail server takes no such long message ({told}).", code=told, reason=Reason.TOO_LONG
        )
    if is_ours or code in _LOGIN:
        return MisconfiguredError(f"The mail server does not take our login, or our sender ({told}).", code=told)
    if enhanced in _DEAD:
        message = f"The mail server does not know the address ({told})."
        return PermanentError(message, code=told, reason=Reason.HARD_BOUNCE, suppress=True)
    return PermanentError(f"The mail server refused the message ({told}).", code=told)
