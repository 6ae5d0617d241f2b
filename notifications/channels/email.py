"""E-mail by any of Django's mail backends, of those of django-anymail, or of the project's own."""

from __future__ import annotations

from datetime import timedelta
from email.utils import getaddresses
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend

from notifications.channels.base import ChannelAdapter
from notifications.channels.mail import mail_of
from notifications.channels.mail_connections import MailConnection, MailConnections
from notifications.channels.mailbox import one_mailbox
from notifications.channels.smtp_connection import SmtpConnection
from notifications.exceptions import DeliveryError, MisconfiguredError, PermanentError
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from notifications.values import Message

#: Seconds a mail server may take for an answer.
TIMEOUT = 10
#: Django's, and ours in its place.
_DJANGO_SMTP, _SMTP = "django.core.mail.backends.smtp.EmailBackend", "notifications.channels.smtp.SmtpBackend"


class EmailChannel(ChannelAdapter):
    """
    HTML and text, one address per message, connections kept over batches.

    `from_email`: sender (default: DEFAULT_FROM_EMAIL); `backend`: dotted path of a mail backend (default: EMAIL_BACKEND);
    `backend_options`: what the backend is made with instead of its settings, such as host, or an API key.
    """

    batch_size = 50
    send_timeout = timedelta(seconds=15)

    def __init__(
        self, *, from_email: str = "", backend: str = "", backend_options: Mapping[str, Any] | None = None
    ) -> None:
        self._from_email = from_email or settings.DEFAULT_FROM_EMAIL
        self._backend = backend
        self._backend_options = dict(backend_options or {})
        self._connections = MailConnections(self._connect)

    def check(self) -> list[str]:
        wrong = []
        try:
            ((_, address),) = getaddresses([self._from_email])
            one_mailbox(address)
        except (PermanentError, ValueError):
            wrong.append("from_email is no sender such as Shop <shop@example.com>")
        try:
            self._connect().close()
        except MisconfiguredError as e:
            wrong.append(f"the mail backend cannot be made with these settings ({e.code})")
        return wrong

    def close(self) -> None:
        self._connections.close()

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        try:
            connection = self._connections.take()
        except MisconfiguredError as e:
            yield from [e] * len(messages)
            return
        try:
            for message in messages:
                yield self._result(message, connection)
        finally:
            self._connections.give_back(connection)

    def _result(self, message: Message, connection: MailConnection) -> Receipt | Exception:
        try:
            mail = mail_of(message, from_email=self._from_email)
            own_id = connection.send(mail)
        except DeliveryError as e:
            return e
        return Receipt(backend=self.name, provider_message_id=own_id or mail.extra_headers["Message-ID"])

    def _connect(self) -> MailConnection:
        path = self._backend or settings.EMAIL_BACKEND
        options = self._backend_options
        if path == _DJANGO_SMTP:
            # Django's own default is to wait for ever.
            path, options = _SMTP, {"timeout": settings.EMAIL_TIMEOUT or TIMEOUT, **options}
        try:
            backend = get_connection(path, **options)
        except (ImportError, ImproperlyConfigured, TypeError, ValueError) as e:
            # Not its text: it may quote an option.
            message = "The mail backend cannot be made with these settings."
            raise MisconfiguredError(message, code=type(e).__name__) from e
        if isinstance(backend, EmailBackend):
            return SmtpConnection(backend)
        if hasattr(backend, "esp_name"):
            # Not imported above: django-anymail is an extra.
            connection: MailConnection = import_module("notifications.channels.esp").EspConnection(backend)
            return connection
        return MailConnection(backend)
