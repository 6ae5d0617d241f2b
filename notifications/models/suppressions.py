"""Addresses that must not be used, and why."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from functools import lru_cache
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from notifications import ids
from notifications.types import Channel, Reason, SuppressionSource

_NOT_DIALLED = re.compile(r"[^+0-9]")


def address_hash(channel: str, address: str, *, secret: str = "") -> str:
    """Return the keyed hash that an address is known by after it is erased; the same for all ways to write it."""
    written = f"{channel}:{normalised(channel, address)}".encode()
    return hashlib.blake2b(written, key=_key(secret or settings.SECRET_KEY), digest_size=32).hexdigest()


def address_hashes(channel: str, address: str) -> list[str]:
    """Return its hashes, first that of today's secret, then those of the secrets before (SECRET_KEY_FALLBACKS)."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [address_hash(channel, address, secret=secret) for secret in secrets]


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    """Return a key that is used for nothing else; made once, because the planner asks about every address."""
    return salted_hmac("notifications.suppression", "key", secret=secret, algorithm="sha256").digest()


def normalised(channel: str, address: str) -> str:
    """Return an address in the one form it is compared in."""
    if channel == Channel.SMS:
        return _NOT_DIALLED.sub("", address)
    # Whether mailboxes differ by case only their server knows; none that people use does (RFC 5321 §2.4).
    return address.strip().casefold()


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Suppressions by what is asked of them."""

    def in_force(self, now: datetime) -> Self:
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), lifted_at__isnull=True)

    def at(self, instant: datetime) -> Self:
        """Return those that were in force then."""
        lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=instant)
        unlifted = Q(lifted_at__isnull=True) | Q(lifted_at__gt=instant)
        return self.filter(lasting, unlifted, created_at__lte=instant)

    def of(self, channel: str, address: str) -> Self:
        return self.filter(channel=channel, address_hash__in=address_hashes(channel, address))


class Suppression(models.Model):
    """An address that must not be used on a channel. Outlives its recipient: what is left then is the hash."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    channel = models.CharField(max_length=10, choices=Channel)
    address_hash = models.CharField(max_length=64)
    #: As it was written; emptied when its owner is erased.
    address = models.TextField(blank=True)
    #: Whose it was when it happened; null: a direct delivery's, or somebody who is gone.
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: A `Reason`.
    reason = models.CharField(max_length=30)
    source = models.CharField(max_length=10, choices=SuppressionSource)
    #: The provider's own word: an SMTP status, an error code.
    code = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    #: Null: until staff lift it.
    expires_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    #: Null: nobody; it expired.
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lift_reason = models.TextField(blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            # An address is suppressed once, however many bounces come in at once; also the planner's look-up.
            models.UniqueConstraint(
                fields=["channel", "address_hash"], condition=Q(lifted_at__isnull=True), name="suppression_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {Reason(self.reason).label}"

    def is_in_force(self, now: datetime) -> bool:
        return self.lifted_at is None and (self.expires_at is None or self.expires_at > now)
