"""Chat services beyond our own three, by Apprise: the extra `apprise`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from apprise import Apprise, NotifyFormat
from apprise.manager_plugins import NotificationManager

from notifications.channels import endpoint
from notifications.channels.base import OneByOne
from notifications.exceptions import PermanentError, TransientError
from notifications.types import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apprise import NotifyBase

    from notifications.values import Message

# It logs the URLs it asks, and so does what it asks them by: each is as good as a password.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

#: Seconds to connect, and to wait for a byte: together less than a message may take.
CONNECT_SECONDS, READ_SECONDS = 4.0, 10.0


class AppriseChannel(OneByOne):
    """
    Post to the rooms whose https URLs people registered, if they are of one of these services.

    `services`: Apprise's schemas, such as gchat. Not those whose URL has a host, which could be any, also inside, or
    that read a file named in it.
    """

    one_provider = False

    def __init__(self, *, services: Sequence[str]) -> None:
        self._services = frozenset(services)

    def check(self) -> list[str]:
        wrong = [f"services: {name!r} {why}" for name in sorted(self._services) if (why := _unusable(name))]
        return wrong or ([] if self._services else ["needs services"])

    def send_one(self, message: Message) -> str:
        url = endpoint.action_url(message)
        body = "\n\n".join(part for part in (message.rendered.body, url) if part)
        plugin = self._plugin(endpoint.url_of(message))
        # It tells whether it worked, and not why.
        if not plugin.notify(body=body, title=message.rendered.title, body_format=NotifyFormat.TEXT):
            what = "Apprise could not send it."
            raise TransientError(what, code="apprise")
        return ""

    def _plugin(self, url: str) -> NotifyBase:
        # In any other form, a URL could be of any service.
        plugin = Apprise.instantiate(url) if url.startswith("https://") else None
        schemas = frozenset(plugin.schemas()) if plugin is not None else frozenset()
        if plugin is None or not schemas & self._services or any(map(_unusable, schemas)):
            what = "This is none of the services that are used here."
            raise PermanentError(what, code="unknown_service", reason=Reason.INVALID_ADDRESS)
        # The URL may say otherwise.
        plugin.redirects, plugin.verify_certificate = False, True
        plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
        return plugin


def _unusable(schema: str) -> str:
    """Return why a service cannot be used; nothing if it can."""
    manager = NotificationManager()
    if schema not in manager:
        return "is none of Apprise"
    plugin = manager[schema]
    if "host" in plugin.template_tokens:
        return "has a host in its URL, which could be any"
    return "reads a file named in its URL" if "template" in plugin.template_args else ""
