"""Mail backends in use: kept open between batches, and closed when they are not needed."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from notifications.channels.smtp import smtp_error
from notifications.exceptions import PermanentError
from notifications.types import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.mail import EmailMessage
    from django.core.mail.backends.base import BaseEmailBackend

    from notifications.exceptions import DeliveryError

#: Seconds an unused connection is kept.
KEPT = 60.0


class MailConnection:
    """A backend in use. What it raises comes out as an error of ours, without the server's words."""

    #: Is it worth keeping open for the next batch?
    is_kept: ClassVar[bool] = False
    #: What it raises; `OSError` has all of smtplib's.
    errors: ClassVar[tuple[type[Exception], ...]] = (OSError, ValueError)

    def __init__(self, backend: BaseEmailBackend) -> None:
        self.backend = backend
        self.used_at = time.monotonic()

    def send(self, mail: EmailMessage) -> str:
        """Send; return the provider's own id of the message, if it gives one."""
        self.open()
        try:
            number = self.backend.send_messages([mail])
        except self.errors as e:
            raise self.meaning(e) from e
        finally:
            self.used_at = time.monotonic()
        # Zero, not None: some backends of projects return nothing.
        if number == 0:
            message = "The mail backend was told not to send it."
            raise PermanentError(message, code="not_sent")
        return ""

    def open(self) -> None:
        """Open, if it is not; raise what stands in the way."""
        try:
            self.backend.open()
        except self.errors as e:
            self.close()
            raise self.meaning(e, is_open=False) from e

    def close(self) -> None:
        # It is to be gone, and if it is gone already, that is as well.
        with suppress(*self.errors):
            self.backend.close()

    def meaning(self, error: Exception, *, is_open: bool = True) -> DeliveryError:
        """Return what an error means, for the backend's state as it left it."""
        self.close()
        return error_of(error, may_be_sent=is_open)


def error_of(error: Exception, *, may_be_sent: bool) -> DeliveryError:
    """Return what an error of one of Django's backends means."""
    if isinstance(error, OSError):
        return smtp_error(error, may_be_sent=may_be_sent)
    # Django refused to write a header.
    message = "The message cannot be written as an e-mail."
    return PermanentError(message, code=type(error).__name__, reason=Reason.REJECTED)


class MailConnections:
    """The connections of one adapter, for use by any number of threads, also after a fork."""

    def __init__(self, make: Callable[[], MailConnection]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._unused: list[MailConnection] = []
        self._process = os.getpid()

    def take(self) -> MailConnection:
        """Return a connection for one batch: one that is there, or else a new one."""
        return self._kept() or self._make()

    def give_back(self, connection: MailConnection) -> None:
        """Keep a connection for the next batch, or close it."""
        if not connection.is_kept:
            connection.close()
            return
        with self._lock:
            self._unused.append(connection)

    def close(self) -> None:
        """Close what is unused."""
        for connection in self._taken(lambda _: True):
            connection.close()

    def _kept(self) -> MailConnection | None:
        if os.getpid() != self._process:
            # A child of a fork must not speak on its parent's connections.
            self._unused, self._process = [], os.getpid()
        too_old = time.monotonic() - KEPT
        for connection in self._taken(lambda unused: unused.used_at < too_old):
            connection.close()
        with self._lock:
            return self._unused.pop() if self._unused else None

    def _taken(self, wanted: Callable[[MailConnection], bool]) -> list[MailConnection]:
        with self._lock:
            taken = [connection for connection in self._unused if wanted(connection)]
            self._unused = [connection for connection in self._unused if not wanted(connection)]
        return taken
