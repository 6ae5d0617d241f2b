"""What recipients asked for beyond their preferences, and every change of what they want."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications.models.templates import Category
from notifications.types import Channel, ConsentSource


class Mute(models.Model):
    """Nothing about this object for this recipient, until an instant or for ever. Required categories are sent."""

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_mutes")
    #: As on the event: `orders.order:42`.
    about = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # One mute each; also the planner's look-up.
            models.UniqueConstraint(fields=["recipient", "about"], name="mute_once"),
            models.CheckConstraint(name="mute_names_its_object", condition=~Q(about="")),
        ]

    def __str__(self) -> str:
        return self.about


class FrequencyCount(models.Model):
    """How many notifications of a category wanted to reach a recipient on one of the recipient's own days."""

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    number = models.PositiveIntegerField()

    class Meta:
        constraints = [
            # What batches add to at the same time, and the planner's look-up.
            models.UniqueConstraint(fields=["recipient", "category", "day"], name="frequency_once"),
        ]
        indexes = [
            # Retention.
            models.Index(fields=["day"], name="frequency_day"),
        ]

    def __str__(self) -> str:
        return f"{self.category_id} {self.day}: {self.number}"


class ConsentChange(models.Model):
    """One change of what a recipient wants. Append-only: the proof of who asked for what, where and when."""

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    #: What it was about: `category:orders`, `template:ORDER_CREATED`, `about:orders.order:42`, `endpoint:…`, `quiet_hours`.
    subject = models.CharField(max_length=220)
    #: Empty: all.
    channel = models.CharField(max_length=10, choices=Channel, blank=True)
    #: A cadence, or what the setting was; empty: no wish.
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    source = models.CharField(max_length=15, choices=ConsentSource)
    #: Who did it; null: nobody who was logged in.
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField()
    #: What staff had to say for themselves; shown to the recipient, too. Empty where the recipient did it.
    note = models.TextField(blank=True, db_default="")

    class Meta:
        ordering = ["-changed_at", "-id"]
        indexes = [
            # A person's history, the latest first.
            models.Index(fields=["recipient", "-changed_at"], name="consent_history"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.channel}: {self.before or '-'} → {self.after or '-'}"
