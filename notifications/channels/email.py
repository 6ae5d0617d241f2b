"""E-mail by any of Django's mail backends."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import BadHeaderError
from django.core.validators import validate_email

from notifications.channels.base import ChannelAdapter
from notifications.exceptions import MisconfiguredError, PermanentError, TransientError
from notifications.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from django.core.mail.backends.base import BaseEmailBackend

    from notifications.values import Message

MAX_ADDRESS = 254


class EmailChannel(ChannelAdapter):
    """
    HTML and text, one address per message, one connection per batch.

    `from_email`: default sender; `backend`: dotted path of a mail backend (default: EMAIL_BACKEND).
    """

    batch_size = 50
    send_timeout = timedelta(seconds=15)

    def __init__(self, from_email: str = "", backend: str | None = None) -> None:
        self._from_email = from_email or settings.DEFAULT_FROM_EMAIL
        self._backend = backend
        domain = parseaddr(self._from_email)[1].rpartition("@")[2]
        self._domain = domain if domain.isascii() and domain else "localhost"

    def send_batch(self, messages: list[Message]) -> Iterator[Receipt | Exception]:
        connection: BaseEmailBackend = get_connection(self._backend)
        try:
            for message in messages:
                try:
                    self._send(message, connection)
                except (TransientError, PermanentError, MisconfiguredError) as e:
                    yield e
                else:
                    yield Receipt(backend=self.name, provider_message_id=self.message_id(message.delivery_id))
        finally:
            _close(connection)

    def message_id(self, delivery_id: UUID) -> str:
        """The same on every try, so that mailboxes can drop a repetition (RFC 5322 §3.6.4)."""
        return f"<{delivery_id.hex}@{self._domain}>"

    def _send(self, message: Message, connection: BaseEmailBackend) -> None:
        mail = EmailMultiAlternatives(
            subject=message.rendered.title,
            body=message.rendered.body,
            from_email=self._from_email,
            to=[_one_address(message.address)],
            headers={"Message-ID": self.message_id(message.delivery_id), "Auto-Submitted": "auto-generated"},
            connection=connection,
        )
        if message.rendered.html:
            mail.attach_alternative(message.rendered.html, "text/html")
        try:
            # Open already: one connection for the whole batch.
            connection.open()
            connection.send_messages([mail])
        except BadHeaderError as e:
            what = "A header would hold a line break."
            raise PermanentError(what, code="bad_header") from e
        except UnicodeError as e:
            what = "The address cannot be written in ASCII (IDNA)."
            raise PermanentError(what, code="bad_address") from e
        except smtplib.SMTPRecipientsRefused as e:
            code, text = next(iter(e.recipients.values()))
            _close(connection)
            raise _smtp_error(code, text) from e
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as e:
            what = "The mail server does not take our login."
            raise MisconfiguredError(what, code=type(e).__name__) from e
        except smtplib.SMTPResponseException as e:
            _close(connection)
            raise _smtp_error(e.smtp_code, e.smtp_error) from e
        except (smtplib.SMTPException, OSError) as e:
            _close(connection)
            raise TransientError(f"The mail server could not be used: {e}", code=type(e).__name__) from e


def _one_address(address: str) -> str:
    """Return the address if it is exactly one mailbox; Django would send "a@b.c, d@e.f" to both."""
    try:
        validate_email(address)
    except ValidationError as e:
        message = "The address is not one e-mail address."
        raise PermanentError(message, code="bad_address") from e
    if len(address) > MAX_ADDRESS or not address.isprintable():
        message = f"The address is longer than {MAX_ADDRESS} characters, or has some that cannot be printed."
        raise PermanentError(message, code="bad_address")
    return address


def _smtp_error(code: int, text: bytes | str) -> TransientError | PermanentError:
    """RFC 5321 §4.2.1: 4xx may be tried again, 5xx may not. The server's text may quote the address: not kept."""
    if 400 <= code < 500:
        return TransientError(f"The mail server asked to try later ({code}).", code=str(code))
    return PermanentError(f"The mail server refused the message ({code}).", code=str(code))


def _close(connection: BaseEmailBackend) -> None:
    """Close, so that the next message of the batch gets a fresh connection."""
    try:
        connection.close()
    except (smtplib.SMTPException, OSError):
        # The connection is gone, which is what was wanted.
        return
