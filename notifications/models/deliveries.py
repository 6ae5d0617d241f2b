"""The log: one notification by one channel, and every try of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left

from notifications import ids
from notifications.models.inbox import Notification
from notifications.models.leases import Leased
from notifications.models.templates import Category, Template, TemplateVersion
from notifications.types import Channel, DeliveryState, Outcome, Priority, Reason

#: Characters of a backend's name.
MAX_BACKEND = 50
#: Characters of an address by which it is looked up.
ADDRESS_BEGINNING = 100


class Delivery(Leased):
    """One notification by one channel to one address; also the record of what was decided not to be sent."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    event_id = models.UUIDField(null=True, db_index=True)
    #: Null: direct, for an address without a user. Looked up by the index of `delivery_once`.
    notification = models.ForeignKey(
        Notification, on_delete=models.SET_NULL, null=True, related_name="deliveries", db_index=False
    )
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    # Without constraints and indexes, for the reason that stands with `Notification`.
    template = models.ForeignKey(
        Template, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    #: The wording it was planned with; rendered from it when sent.
    version = models.ForeignKey(
        TemplateVersion, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    category = models.ForeignKey(
        Category, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    broadcast_id = models.UUIDField(null=True)
    channel = models.CharField(max_length=10, choices=Channel)
    address = models.TextField(blank=True)
    #: Only where there is no version to render from: direct deliveries and digests.
    content = models.JSONField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    #: Why it is what it is.
    reason = models.CharField(max_length=30, choices=Reason, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    #: Stamped before the provider call on at-most-once channels: after a crash, nobody may try again.
    started_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Attempts that the retry schedule does not count: those before the delivery was last sent round again, and those
    #: that our own set-up spoiled. The database has the default, too: workers of the release before insert without it.
    attempts_before = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    #: Staff tried the wording on themselves: no statistics count it. The database has the default, too, see above.
    is_test = models.BooleanField(default=False, db_default=False, editable=False)
    #: Collected by this digest: not claimed on its own.
    digest_id = models.UUIDField(null=True)
    backend = models.CharField(max_length=MAX_BACKEND, blank=True)
    provider_message_id = models.CharField(max_length=255, blank=True)
    #: When it reached a final state, whichever.
    finished_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        permissions = [
            ("reveal_delivery", "Can see addresses and content of deliveries in full"),
            ("redrive_delivery", "Can send deliveries again"),
            ("cancel_delivery", "Can cancel deliveries"),
        ]
        indexes = [
            # The claim: one channel, one priority at a time, oldest due first.
            models.Index(
                fields=["channel", "priority", "due_at"],
                name="delivery_claim",
                condition=Q(state=DeliveryState.PENDING, digest_id__isnull=True),
            ),
            # What a digest has collected.
            models.Index(fields=["digest_id"], name="delivery_digest", condition=Q(digest_id__isnull=False)),
            # The expirer: what waits and is too late.
            models.Index(
                fields=["expires_at"],
                name="delivery_expire",
                condition=Q(state=DeliveryState.PENDING, expires_at__isnull=False),
            ),
            # The reclaimer: leases that ran out.
            models.Index(fields=["lease_until"], name="delivery_reclaim", condition=Q(state=DeliveryState.SENDING)),
            # The progress of a broadcast, and calling back what of it waits.
            models.Index(
                fields=["broadcast_id", "state"],
                name="delivery_broadcast",
                condition=Q(broadcast_id__isnull=False),
            ),
            # Redrive and the queue's figures: what failed lately, among many that did not.
            models.Index(
                fields=["finished_at"],
                name="delivery_failed",
                condition=Q(state__in=[DeliveryState.FAILED, DeliveryState.UNKNOWN]),
            ),
            # The log by state, newest first: what waits, and what came to no good end. The rest is most of all rows.
            models.Index(
                fields=["state", "id"],
                name="delivery_state",
                condition=Q(
                    state__in=[
                        DeliveryState.PENDING,
                        DeliveryState.FAILED,
                        DeliveryState.UNKNOWN,
                        DeliveryState.CANCELLED,
                        DeliveryState.EXPIRED,
                    ]
                ),
            ),
            # Staff looking for an address that is nobody's: "did this text message go out?" Its beginning, because
            # legacy events name addresses of any length.
            models.Index(
                Left("address", ADDRESS_BEGINNING),
                name="delivery_direct",
                condition=Q(recipient__isnull=True, notification__isnull=True) & ~Q(address=""),
            ),
            # What providers tell afterwards, by the name they gave it.
            models.Index(
                fields=["provider_message_id"], name="delivery_provider_id", condition=~Q(provider_message_id="")
            ),
        ]
        constraints = [
            # One notification goes to an address once per channel, however often it is dispatched.
            models.UniqueConstraint(fields=["notification", "channel", "address"], name="delivery_once"),
            # A row is held by exactly one drain, or by nobody.
            models.CheckConstraint(
                name="delivery_held_iff_sending",
                condition=Q(state=DeliveryState.SENDING, lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state=DeliveryState.SENDING) & Q(lease_token__isnull=True, lease_until__isnull=True)),
            ),
            # Over is over at a known time.
            models.CheckConstraint(
                name="delivery_finished_iff_over",
                condition=Q(state__in=[DeliveryState.PENDING, DeliveryState.SENDING], finished_at__isnull=True)
                | (~Q(state__in=[DeliveryState.PENDING, DeliveryState.SENDING]) & Q(finished_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.id}"


class Attempt(models.Model):
    """One try of a delivery. Append-only; holds no body and no address."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    #: Counts from 1.
    number = models.PositiveSmallIntegerField()
    backend = models.CharField(max_length=MAX_BACKEND, blank=True)
    started_at = models.DateTimeField()
    duration = models.DurationField()
    outcome = models.CharField(max_length=15, choices=Outcome)
    #: The provider's own word: an SMTP or HTTP status, an error name.
    code = models.CharField(max_length=100, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["delivery", "number", "id"]

    def __str__(self) -> str:
        return f"{self.number}: {self.outcome}"
