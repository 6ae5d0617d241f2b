"""What happened: the outbox."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from notifications import ids
from notifications.models.leases import Leased
from notifications.models.templates import Template
from notifications.types import EventState, Priority, Source


class Broadcast(models.Model):
    """A publication for more recipients than one event takes; its events hold the work."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+")
    recipient_count = models.PositiveIntegerField()
    duplicate_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.template_id} to {self.recipient_count}"


class Event(Leased):
    """Something happened, for at most 50 recipients. Inserted in the transaction of the business change."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+")
    #: Plain JSON, checked by `inputs.plain_json`.
    variables = models.JSONField(default=dict)
    #: User ids as text, each once.
    recipients = models.JSONField(default=list)
    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, null=True, blank=True, related_name="events")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    action_url = models.TextField(blank=True)
    action_text = models.CharField(max_length=100, blank=True)
    #: Names of the channels to use; null: all the template has wording for.
    channels = models.JSONField(null=True, blank=True)
    #: The business object, as `orders.order:42`.
    about = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=10, choices=Source, default=Source.CODE)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    #: Identity of the whole request, to tell a repetition from a different request under the same key.
    request_hash = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=EventState, default=EventState.PENDING)
    last_error = models.TextField(blank=True)
    #: When it reached a final state; retention counts from here.
    finished_at = models.DateTimeField(null=True, blank=True)
    #: When retention took its variables and recipients; the rest stays as long as its idempotency key counts.
    emptied_at = models.DateTimeField(null=True, blank=True, editable=False)

    #: Written by dispatch from the facts, for `audit_notifications` to compare with the rows.
    recipient_count = models.PositiveSmallIntegerField(default=0)
    duplicate_count = models.PositiveSmallIntegerField(default=0)
    unknown_count = models.PositiveSmallIntegerField(default=0)
    planned_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The claim: one priority at a time, oldest due first.
            models.Index(fields=["priority", "due_at"], name="event_claim", condition=Q(state=EventState.PENDING)),
            # Staff looking for an object: "what became of order 42?"
            models.Index(fields=["about"], name="event_about", condition=~Q(about="")),
            # Retention: what has been over for long, less the stubs that are left for their idempotency keys.
            models.Index(
                fields=["finished_at"],
                name="event_retention",
                condition=Q(finished_at__isnull=False, emptied_at__isnull=True),
            ),
            # The expirer: what waits and is too late.
            models.Index(
                fields=["expires_at"],
                name="event_expire",
                condition=Q(state=EventState.PENDING, expires_at__isnull=False),
            ),
            # The reclaimer: leases that ran out.
            models.Index(fields=["lease_until"], name="event_reclaim", condition=Q(state=EventState.DISPATCHING)),
        ]
        constraints = [
            # A row is held by exactly one drain, or by nobody.
            models.CheckConstraint(
                name="event_held_iff_dispatching",
                condition=Q(state=EventState.DISPATCHING, lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state=EventState.DISPATCHING) & Q(lease_token__isnull=True, lease_until__isnull=True)),
            ),
            # Over is over at a known time.
            models.CheckConstraint(
                name="event_finished_iff_over",
                condition=Q(state__in=[EventState.PENDING, EventState.DISPATCHING], finished_at__isnull=True)
                | (~Q(state__in=[EventState.PENDING, EventState.DISPATCHING]) & Q(finished_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} {self.id}"
