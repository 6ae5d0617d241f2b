"""A connection to a mail server that lasts over many messages and some of their failures."""

from __future__ import annotations

import smtplib
import time
from typing import TYPE_CHECKING, ClassVar, cast

from notifications.channels.mail_connections import MailConnection, error_of
from notifications.exceptions import TransientError

if TYPE_CHECKING:
    from django.core.mail import EmailMessage
    from django.core.mail.backends.smtp import EmailBackend

    from notifications.exceptions import DeliveryError

#: Seconds of rest after which the server is asked whether it is still there.
REST = 5.0


class SmtpConnection(MailConnection):
    """One of Django's SMTP backend, or of a backend that builds on it."""

    is_kept: ClassVar[bool] = True

    def send(self, mail: EmailMessage) -> str:
        was_open = self._is_open
        try:
            return super().send(mail)
        except TransientError:
            # A server may end what was kept between two messages, for its age or the number of them.
            if not was_open or self._is_open:
                raise
        return super().send(mail)

    def open(self) -> None:
        if self._is_open and time.monotonic() - self.used_at > REST and not self._answers():
            self.close()
        super().open()

    def meaning(self, error: Exception, *, is_open: bool = True) -> DeliveryError:
        smtp = self._smtp
        # Of a backend that watches nothing, nobody knows.
        meaning = error_of(error, may_be_sent=is_open and getattr(smtp, "has_sent", True))
        if not is_open or not self._can_go_on(error):
            self.close()
        return meaning

    @property
    def _smtp(self) -> smtplib.SMTP | None:
        return cast("EmailBackend", self.backend).connection

    @property
    def _is_open(self) -> bool:
        return self._smtp is not None

    def _answers(self) -> bool:
        try:
            return self._smtp is not None and self._smtp.noop()[0] == 250
        except OSError:
            return False

    def _can_go_on(self, error: Exception) -> bool:
        """Tell whether the next message can follow: the server refused this one, and has forgotten it."""
        smtp = self._smtp
        if smtp is None or smtp.sock is None or not isinstance(error, smtplib.SMTPException):
            return False
        try:
            return smtp.rset()[0] == 250
        except OSError:
            return False
