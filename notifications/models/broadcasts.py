"""Many recipients: a publication that becomes many events, and how far they are."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications.models.publications import Publication
from notifications.types import BroadcastState

#: States of what is not all made into events yet.
OPEN = [BroadcastState.PENDING, BroadcastState.EXPANDING, BroadcastState.CANARY]


class Broadcast(Publication):
    """
    A publication for more recipients than one event takes; its events hold the work.

    Those of a list are inserted with it. Those of a named audience are inserted bit by bit, by `pipeline.broadcasting`.
    """

    #: Name of the audience; empty: a list, whose events were inserted with it.
    audience = models.CharField(max_length=64, blank=True)
    #: Primary keys as text, of a list that is told bit by bit as an audience is; null: there is none, or all are told.
    recipients = models.JSONField(null=True, blank=True, editable=False)
    #: Part that is told first, to look at what comes of it; null: all at once.
    canary_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    #: When staff let it go on after that.
    canary_passed_at = models.DateTimeField(null=True, blank=True, editable=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
    )
    state = models.CharField(max_length=10, choices=BroadcastState, default=BroadcastState.PENDING)
    #: Its place among those that are expanded at once; kept between two claims.
    slot = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    #: Primary keys as text: the last recipient who has an event, and the last there was when it began.
    cursor = models.TextField(blank=True, editable=False)
    cursor_end = models.TextField(blank=True, editable=False)
    #: Null: an audience nobody has counted yet.
    recipient_count = models.PositiveIntegerField(null=True, blank=True)
    duplicate_count = models.PositiveIntegerField(default=0)
    #: Recipients who have an event, and events; written with them, for `audit_notifications` to compare with the rows.
    expanded_count = models.PositiveIntegerField(default=0)
    event_count = models.PositiveIntegerField(default=0)

    # Progress, as it was at `measured_at`; written by `maintenance.progress` until everything is over.
    measured_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Recipients whose event is dispatched; of them, accounts that are gone or inactive.
    told_count = models.PositiveIntegerField(default=0, editable=False)
    unknown_count = models.PositiveIntegerField(default=0, editable=False)
    inactive_count = models.PositiveIntegerField(default=0, editable=False)
    #: Deliveries: planned, sent, failed (also: nobody knows), and those not to be sent.
    planned_count = models.PositiveIntegerField(default=0, editable=False)
    sent_count = models.PositiveIntegerField(default=0, editable=False)
    failed_count = models.PositiveIntegerField(default=0, editable=False)
    skipped_count = models.PositiveIntegerField(default=0, editable=False)
    #: Deliveries that came to their end, per second, lately.
    rate = models.FloatField(default=0, editable=False)
    #: When the last of its deliveries was over.
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("send_broadcast", "Can compose, start and cancel broadcasts"),
        ]
        indexes = [
            # The claim and the admission: few rows wait.
            models.Index(
                fields=["priority", "due_at"], name="broadcast_claim", condition=Q(state=BroadcastState.PENDING)
            ),
            # The measuring: what is not complete.
            models.Index(fields=["measured_at"], name="broadcast_open", condition=Q(completed_at__isnull=True)),
        ]
        constraints = [
            # So many are expanded at once, whoever admits them.
            models.UniqueConstraint(
                fields=["slot"],
                condition=Q(state__in=[BroadcastState.PENDING, BroadcastState.EXPANDING]),
                name="broadcast_slot",
            ),
            # A row is held by exactly one drain, or by nobody.
            models.CheckConstraint(
                name="broadcast_held_iff_expanding",
                condition=Q(state=BroadcastState.EXPANDING, lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state=BroadcastState.EXPANDING) & Q(lease_token__isnull=True, lease_until__isnull=True)),
            ),
            # Over is over at a known time.
            models.CheckConstraint(
                name="broadcast_finished_iff_over",
                condition=Q(state__in=OPEN, finished_at__isnull=True)
                | (~Q(state__in=OPEN) & Q(finished_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} {self.id}"

    @property
    def over_count(self) -> int:
        """Deliveries that came to their end."""
        return self.sent_count + self.failed_count + self.skipped_count
