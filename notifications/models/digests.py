"""Deliveries that are held and sent as one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications import ids
from notifications.models.deliveries import Delivery
from notifications.models.templates import Category
from notifications.types import Channel, DigestState


class Digest(models.Model):
    """
    A collection for one recipient and channel. What is collected are the deliveries whose `digest_id` is its own.

    Whoever adds to it, and whoever closes it, locks its row: nothing can come into a digest that is closed.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="+")
    #: What is collected together: `daily:orders`, or a template and the key that business code gave.
    key = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=DigestState, default=DigestState.OPEN)
    opened_at = models.DateTimeField()
    #: When it is closed.
    due_at = models.DateTimeField()
    #: A sliding window slides no further than this; null: it does not slide.
    slides_until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    #: What it was sent by; null: it is open, or was empty.
    delivery = models.OneToOneField(Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The clock: what is to be closed.
            models.Index(fields=["due_at"], name="digest_due", condition=Q(state=DigestState.OPEN)),
        ]
        constraints = [
            # Batches that add at the same time add to the same one.
            models.UniqueConstraint(
                fields=["recipient", "channel", "key"], condition=Q(state=DigestState.OPEN), name="digest_open_once"
            ),
            models.CheckConstraint(
                name="digest_closed_iff_over",
                condition=Q(state=DigestState.OPEN, closed_at__isnull=True)
                | (~Q(state=DigestState.OPEN) & Q(closed_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.key
