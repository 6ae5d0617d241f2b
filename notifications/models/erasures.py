"""The wish to have everything about a person erased, and how far that is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications.types import ErasureStep


class Erasure(models.Model):
    """
    One person's erasure: carried out bit by bit, and the record of it afterwards.

    Holds nothing of the person but the primary key of the account, and the hashes by which addresses are known again.
    """

    #: Primary key of the user, as text: the account may go before this row does.
    recipient_key = models.CharField(max_length=64)
    #: Channel → hashes of the person's addresses, as `address_hash` makes them; emptied at the end.
    hashes = models.JSONField(default=dict, editable=False)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: What it is done upon: a letter, a ticket.
    note = models.TextField(blank=True)
    step = models.CharField(max_length=15, choices=ErasureStep, default=ErasureStep.EVENTS)
    #: The last row that was looked at, in the steps that look at a whole table.
    cursor = models.UUIDField(null=True, editable=False)
    #: Step → rows.
    counts = models.JSONField(default=dict, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Asked for twice, it is one. Also what the clock looks for.
            models.UniqueConstraint(
                fields=["recipient_key"], condition=Q(finished_at__isnull=True), name="erasure_open_once"
            ),
            models.CheckConstraint(
                name="erasure_finished_iff_done",
                condition=Q(step=ErasureStep.DONE, finished_at__isnull=False)
                | (~Q(step=ErasureStep.DONE) & Q(finished_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"user {self.recipient_key}"

    @property
    def done(self) -> list[tuple[str, int]]:
        """How many rows each step took, in words and in their order; without those that found none."""
        return [(str(step.label), self.counts[step]) for step in ErasureStep if self.counts.get(step)]
