"""What holds sending back: pauses, and the rate of each channel."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notifications.types import PauseOrigin, PauseScope


class Pause(models.Model):
    """A hold on everything, a template, a category, a channel, a backend or a broadcast. What is held waits; nothing is dropped."""

    scope = models.CharField(max_length=10, choices=PauseScope)
    #: Code or name of what is held; empty for everything.
    key = models.CharField(max_length=64, blank=True)
    origin = models.CharField(max_length=10, choices=PauseOrigin, default=PauseOrigin.STAFF, editable=False)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    until = models.DateTimeField(null=True, blank=True, help_text=_("Empty: until it is lifted."))
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        permissions = [
            ("pause_sending", "Can pause and resume sending"),
        ]
        constraints = [
            # Two hands on the switch make one pause.
            models.UniqueConstraint(fields=["scope", "key"], condition=Q(lifted_at__isnull=True), name="pause_once"),
            models.CheckConstraint(
                name="pause_names_what_it_holds",
                condition=Q(scope=PauseScope.EVERYTHING, key="") | (~Q(scope=PauseScope.EVERYTHING) & ~Q(key="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}".strip()


class SendRate(models.Model):
    """The pace of a channel, shared by all processes: when its next message may go out."""

    channel = models.CharField(primary_key=True, max_length=10)
    #: Unix seconds: a number, so that one statement moves it on every database.
    next_at = models.FloatField()

    def __str__(self) -> str:
        return self.channel
