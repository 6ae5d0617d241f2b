"""One recipient's copy of an event: the inbox row."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications import ids
from notifications.models.templates import Category, Template, TemplateVersion
from notifications.types import Priority


class NotificationQuerySet(models.QuerySet["Notification"]):
    def listed(self) -> Self:
        """What its recipient can see at all."""
        return self.filter(listed_at__isnull=False, hidden_at__isnull=True)

    def current(self) -> Self:
        """What the inbox shows first: neither archived nor snoozed."""
        return self.listed().filter(archived_at__isnull=True, snoozed_until__isnull=True)

    def snoozed(self) -> Self:
        """Also what is due, until the clock has put it back."""
        return self.listed().filter(snoozed_until__isnull=False)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)

    def unseen(self) -> Self:
        return self.filter(seen_at__isnull=True)


class Notification(models.Model):
    """
    One recipient's copy of an event, with the words it was told in.

    Stands alone: its event is kept for days, the inbox for as long as its own setting says.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    event_id = models.UUIDField()
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Of template, version and category there are a few that every row names. An index would be one more write for each
    # row, a constraint a look-up and a lock on a row that all transactions share; none is deleted while rows name it.
    template = models.ForeignKey(
        Template, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    version = models.ForeignKey(
        TemplateVersion, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    variant = models.CharField(max_length=20, blank=True)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    about = models.CharField(max_length=200, blank=True)
    title = models.TextField(blank=True)
    body = models.TextField(blank=True)
    action_url = models.TextField(blank=True)
    action_text = models.CharField(max_length=100, blank=True)
    #: Buttons that business code answers: [{"name": …, "run_at": ISO 8601 or null, "result": …}].
    actions = models.JSONField(default=list, blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    created_at = models.DateTimeField()
    #: The place in the list, unique so that a cursor drops nothing; re-issued when a snooze ends.
    sort_key = models.UUIDField(default=ids.uuid7, unique=True, editable=False)
    #: Null: not in the inbox.
    listed_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-sort_key"]
        constraints = [
            models.UniqueConstraint(fields=["event_id", "recipient"], name="notification_once"),
            models.CheckConstraint(
                name="notification_read_is_seen", condition=Q(read_at__isnull=True) | Q(seen_at__isnull=False)
            ),
            models.CheckConstraint(
                name="notification_archived_is_read", condition=Q(archived_at__isnull=True) | Q(read_at__isnull=False)
            ),
        ]
        indexes = [
            # The inbox and its cursor.
            models.Index(
                fields=["recipient", "-sort_key"],
                name="notification_current",
                condition=Q(
                    listed_at__isnull=False,
                    hidden_at__isnull=True,
                    archived_at__isnull=True,
                    snoozed_until__isnull=True,
                ),
            ),
            # What is unread, and its cursor: three items among fifty thousand are not looked for one by one.
            models.Index(
                fields=["recipient", "-sort_key"],
                name="notification_unread_list",
                condition=Q(
                    listed_at__isnull=False, hidden_at__isnull=True, read_at__isnull=True, snoozed_until__isnull=True
                ),
            ),
            # The archive and its cursor: it grows for ever, and the inbox must not pay for it.
            models.Index(
                fields=["recipient", "-sort_key"],
                name="notification_archive",
                condition=Q(listed_at__isnull=False, hidden_at__isnull=True, archived_at__isnull=False),
            ),
            # What is snoozed: few, for their recipient and for the clock.
            models.Index(
                fields=["recipient", "snoozed_until"],
                name="notification_snoozed",
                condition=Q(listed_at__isnull=False, hidden_at__isnull=True, snoozed_until__isnull=False),
            ),
            models.Index(
                fields=["snoozed_until"],
                name="notification_wakes",
                condition=Q(listed_at__isnull=False, hidden_at__isnull=True, snoozed_until__isnull=False),
            ),
            # Staff looking for an object: "who heard of order 42?"
            models.Index(fields=["about"], name="notification_about", condition=~Q(about="")),
            # The counts of the bell: unread items are few, whatever the size of the inbox.
            models.Index(
                fields=["recipient", "category", "seen_at"],
                name="notification_unread",
                condition=Q(
                    listed_at__isnull=False, hidden_at__isnull=True, read_at__isnull=True, snoozed_until__isnull=True
                ),
            ),
        ]

    def __str__(self) -> str:
        # Not its title: that is for its recipient.
        return f"{self.template_id} {self.id}"
