"""Who is working: one row for each living worker process."""

from __future__ import annotations

from django.db import models


class WorkerHeartbeat(models.Model):
    """A worker process. Its clock writes `seen_at` every few seconds; a row that is not written is a dead worker's."""

    id = models.UUIDField(primary_key=True, editable=False)
    host = models.CharField(max_length=255)
    process = models.PositiveIntegerField()
    threads = models.PositiveSmallIntegerField()
    #: Names of the queues it consumes.
    queues = models.JSONField(default=list)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    #: Empty while all its threads are alive; else which died.
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-seen_at"]
        permissions = [
            ("view_dashboard", "Can view the dashboard"),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.process}"
