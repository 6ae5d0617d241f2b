"""What providers told of messages after they took them."""

from __future__ import annotations

from django.db import models

from notifications import ids
from notifications.models.deliveries import Delivery
from notifications.types import Feedback


class ProviderEvent(models.Model):
    """One event at a provider: told again, it is the same. Append-only; holds no address. Goes with its delivery."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="feedback")
    #: As the address of its callbacks names it.
    provider = models.CharField(max_length=50)
    #: The provider's own; what is too long is hashed.
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=15, choices=Feedback)
    #: The provider's own word, such as 30003.
    code = models.CharField(max_length=100, blank=True)
    #: When it happened there.
    at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["delivery", "at", "id"]
        constraints = [
            # Providers repeat themselves, also at the same instant.
            models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.kind}"
