"""Chat rooms, by the incoming webhooks of Slack, Microsoft Teams and Discord: which one it is, its URL says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from notifications.channels import discord, endpoint, guard, slack, teams
from notifications.channels.base import OneByOne
from notifications.channels.http import Http
from notifications.exceptions import DeliveryError, PermanentError
from notifications.types import Reason

if TYPE_CHECKING:
    from typing import Any

    import httpx

    from notifications.channels.http import Response
    from notifications.values import Message


class Service(Protocol):
    """A chat service: a module of its own."""

    def is_host(self, host: str) -> bool:
        """Tell whether a host is one of the service."""

    def document(self, message: Message) -> dict[str, Any]:
        """Return the JSON document that shows a message."""

    def error_of(self, answer: Response) -> DeliveryError:
        """Return what an answer that is no success means."""


_SERVICES: dict[str, Service] = {"slack": slack, "teams": teams, "discord": discord}


class ChatChannel(OneByOne):
    """
    POST each notification to the rooms whose incoming webhooks people registered.

    `hosts`: hosts of services that take another's documents, such as {"mattermost.example.com": "slack"}.
    """

    #: Three services, and limits for each room.
    one_provider = False

    def __init__(self, *, hosts: dict[str, str] | None = None) -> None:
        self._hosts = hosts or {}
        self._http = Http(timeout=self.send_timeout, guarded=True)

    def check(self) -> list[str]:
        known = ", ".join(_SERVICES)
        return [
            f"hosts[{host!r}] is {service!r}; there are {known}"
            for host, service in self._hosts.items()
            if service not in _SERVICES
        ]

    def takes(self, message: Message) -> bool:
        try:
            self._service(guard.checked_url(endpoint.url_of(message)))
        except PermanentError:
            return False
        return True

    def close(self) -> None:
        self._http.close()

    def send_one(self, message: Message) -> str:
        url = endpoint.url_of(message)
        service = self._service(guard.checked_url(url))
        content = json.dumps(service.document(message)).encode()
        answer = self._http.request("POST", url, headers={"Content-Type": "application/json"}, content=content)
        if not answer.is_success:
            raise service.error_of(answer)
        return ""

    def _service(self, url: httpx.URL) -> Service:
        host = guard.host_of(url)
        if host in self._hosts:
            return _SERVICES[self._hosts[host]]
        for service in _SERVICES.values():
            if service.is_host(host):
                return service
        what = "This is no chat service that is known here."
        raise PermanentError(what, code="unknown_service", reason=Reason.INVALID_ADDRESS)
