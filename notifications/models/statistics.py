"""What was done, in numbers: counted from the rows while they are there, and kept when retention takes them."""

from __future__ import annotations

from django.db import models

from notifications.types import Channel, DeliveryState, Reason


class HourlyCount(models.Model):
    """
    What became so far of what was made in an hour. `maintenance.rollup` is its only writer, and drops it after days.

    One row, replaced as a whole: whoever reads it sees one count, and two processes cannot mix theirs.
    """

    #: Its beginning.
    hour = models.DateTimeField(primary_key=True)
    #: Null: not yet.
    counted_at = models.DateTimeField(null=True)
    #: [[template or "", channel, priority, state, reason, number]]
    deliveries = models.JSONField(default=list)
    #: [[priority, state, number]]
    events = models.JSONField(default=list)

    class Meta:
        ordering = ["-hour"]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}:00"


class DailyStat(models.Model):
    """How many of the deliveries made on a day came to the same end. Kept for good: a few hundred rows a day."""

    #: Of UTC.
    day = models.DateField()
    #: Its code, and no reference: a number outlives what it counts. Empty: direct ones.
    template = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=10, choices=Channel)
    state = models.CharField(max_length=10, choices=DeliveryState)
    reason = models.CharField(max_length=30, choices=Reason, blank=True)
    number = models.PositiveIntegerField()

    class Meta:
        ordering = ["-day"]
        constraints = [
            # Counted again, it is replaced. Also the index of every question, which asks for the last days.
            models.UniqueConstraint(fields=["day", "template", "channel", "state", "reason"], name="daily_stat_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.template} {self.channel} {self.state}"
