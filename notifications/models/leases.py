"""What a row needs to be claimed, worked on and given back: shared by events and deliveries."""

from __future__ import annotations

from django.db import models


class Leased(models.Model):
    """A row that is also a job. `pipeline.claiming` is the only writer of these columns."""

    #: Not before this instant. Delays, schedules, retries and deferrals are all this one column.
    due_at = models.DateTimeField()
    #: Who holds the row; every write of the holder is guarded by it.
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    #: Claims since the row was last put down in good order: a row that kills its worker is known by it.
    claims = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        abstract = True
