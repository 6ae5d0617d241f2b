"""Of a message to an address that somebody registered: where it goes, and where its button leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications import conf
from notifications.exceptions import PermanentError
from notifications.types import Reason

if TYPE_CHECKING:
    from notifications.values import Message


def url_of(message: Message) -> str:
    """Return the URL that was registered; raise `PermanentError` if there is none."""
    url = (message.endpoint or {}).get("url")
    if not isinstance(url, str) or not url or not message.address:
        what = "There is no address to send this to."
        raise PermanentError(what, code="no_address", reason=Reason.NO_ADDRESS)
    return url


def action_url(message: Message) -> str:
    """Return the link of the message's button, absolute; empty: it has none."""
    url = message.action.url
    return conf.current().base_url.rstrip("/") + url if url.startswith("/") else url
