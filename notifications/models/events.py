"""What happened: the outbox."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from notifications.models.broadcasts import Broadcast
from notifications.models.publications import Publication
from notifications.types import EventState


class Event(Publication):
    """Something happened, for at most 50 recipients. Inserted in the transaction of the business change."""

    #: User ids as text, each once.
    recipients = models.JSONField(default=list)
    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.CASCADE, null=True, blank=True, related_name="events", db_index=False
    )
    idempotency_key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    #: Identity of the whole request, to tell a repetition from a different request under the same key.
    request_hash = models.CharField(max_length=64, blank=True, editable=False)
    state = models.CharField(max_length=12, choices=EventState, default=EventState.PENDING)
    #: When retention took its variables and recipients; the rest stays as long as its idempotency key counts.
    emptied_at = models.DateTimeField(null=True, blank=True, editable=False)

    #: Written by dispatch from the facts, for `audit_notifications` to compare with the rows.
    recipient_count = models.PositiveIntegerField(default=0)
    duplicate_count = models.PositiveIntegerField(default=0)
    unknown_count = models.PositiveSmallIntegerField(default=0)
    #: Known, but their account is inactive: each of their routes is suppressed.
    inactive_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    planned_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The claim: one priority at a time, oldest due first.
            models.Index(fields=["priority", "due_at"], name="event_claim", condition=Q(state=EventState.PENDING)),
            # The progress of a broadcast; most events have none.
            models.Index(fields=["broadcast"], name="event_broadcast", condition=Q(broadcast__isnull=False)),
            # Staff looking for an object: "what became of order 42?"
            models.Index(fields=["about"], name="event_about", condition=~Q(about="")),
            # Retention: what has been over for long, less the stubs that are left for their idempotency keys.
            models.Index(
                fields=["finished_at"],
                name="event_retention",
                condition=Q(finished_at__isnull=False, emptied_at__isnull=True),
            ),
            # Failure groups and redrive: the few that could not be dispatched.
            models.Index(fields=["finished_at"], name="event_failed", condition=Q(state=EventState.FAILED)),
            # The expirer: what waits and is too late.
            models.Index(
                fields=["expires_at"],
                name="event_expire",
                condition=Q(state=EventState.PENDING, expires_at__isnull=False),
            ),
            # The log of what failed, newest first.
            models.Index(fields=["id"], name="event_log_failed", condition=Q(state=EventState.FAILED)),
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
