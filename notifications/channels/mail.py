"""One message as an e-mail: its parts and its headers."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import TYPE_CHECKING

from django.core.mail import EmailMultiAlternatives

from notifications.channels.mailbox import one_mailbox
from notifications.exceptions import PermanentError

if TYPE_CHECKING:
    from uuid import UUID

    from notifications.values import Message

#: What ends a line for one program or another, and what no header may hold.
_NO_HEADER = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def mail_of(message: Message, *, from_email: str) -> EmailMultiAlternatives:
    """Return the e-mail, the same on every try; raise `PermanentError` if none can be made."""
    headers = {"Message-ID": message_id(message.delivery_id, from_email), "Auto-Submitted": "auto-generated"}
    if message.unsubscribe_url:
        # RFC 8058 §3.1: both, and https.
        headers["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    for value in (message.rendered.title, *headers.values()):
        if _NO_HEADER.search(value):
            what = "A header would hold a line break."
            raise PermanentError(what, code="bad_header")
    mail = EmailMultiAlternatives(
        subject=message.rendered.title,
        body=message.rendered.body,
        from_email=from_email,
        to=[one_mailbox(message.address)],
        headers=headers,
    )
    if message.rendered.html:
        mail.attach_alternative(message.rendered.html, "text/html")
    return mail


def message_id(delivery_id: UUID, from_email: str) -> str:
    """The same on every try, so that mailboxes can drop a repetition (RFC 5322 §3.6.4)."""
    domain = parseaddr(from_email)[1].rpartition("@")[2]
    return f"<{delivery_id.hex}@{domain if domain.isascii() and domain else 'localhost'}>"
