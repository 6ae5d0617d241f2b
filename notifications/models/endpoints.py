"""Where people can be reached by channels that know no address of the user table."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications import ids
from notifications.types import Channel

#: Channels whose addresses people register themselves.
REGISTERED = (Channel.WEB_PUSH, Channel.CHAT, Channel.WEBHOOK)


class Endpoint(models.Model):
    """One address of a recipient: a browser, a chat room, a receiver of webhooks. Knowing it is being able to use it."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_endpoints"
    )
    channel = models.CharField(max_length=10, choices=Channel)
    #: As `channels.addresses` checks it: {"endpoint", "keys": {"p256dh", "auth"}}, {"token"} or {"url"}. Never shown again.
    address = models.JSONField()
    #: SHA-256 of its URL, or of its token, in hex.
    address_hash = models.CharField(max_length=64)
    #: What its owner calls it.
    label = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    #: When it was found to be gone.
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Registered again, it is the same one; also the look-up by recipient and channel.
            models.UniqueConstraint(fields=["recipient", "channel", "address_hash"], name="endpoint_once"),
            # A browser is one person's: whoever used it before is not told there any more.
            models.UniqueConstraint(
                fields=["address_hash"], condition=Q(channel=Channel.WEB_PUSH), name="endpoint_browser_once"
            ),
            models.CheckConstraint(name="endpoint_channel", condition=Q(channel__in=REGISTERED)),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.label or self.host}"

    @property
    def host(self) -> str:
        """The part of the address that may be shown; of an app's token, whom it is for."""
        url = self.address.get("endpoint") or self.address.get("url", "https://fcm.googleapis.com/")
        return urlsplit(url).hostname or ""
