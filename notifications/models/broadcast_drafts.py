"""Broadcasts that staff are still writing: what was chosen so far, and how many it would reach."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from notifications import ids
from notifications.models.broadcasts import Broadcast
from notifications.models.templates import Template
from notifications.types import Priority


class BroadcastDraft(models.Model):
    """A broadcast before it is started. It outlives a reload, and is started once."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="+", db_index=False)
    variables = models.JSONField(default=dict, blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    #: Null: all the template has wording for.
    channels = models.JSONField(null=True, blank=True)
    audience = models.CharField(max_length=64, blank=True)
    #: Primary keys as text; null: a named audience, or nobody was chosen yet.
    recipients = models.JSONField(null=True, blank=True)
    #: Grows with each change of what is said and to whom: a count of before is none.
    revision = models.PositiveIntegerField(default=0)
    #: The count so far, as `services.broadcast_counting` writes it.
    tally = models.JSONField(default=dict, blank=True)
    count_cursor = models.TextField(blank=True)
    count_end = models.TextField(blank=True)
    #: When everybody was counted.
    counted_at = models.DateTimeField(null=True, blank=True)
    #: What became of it.
    broadcast = models.OneToOneField(Broadcast, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.template_id} {self.id}"
