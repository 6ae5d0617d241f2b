"""What we know of the people we tell: how to reach them and what they want to hear."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notifications.models.templates import Category, Template
from notifications.types import Cadence, Channel

#: E.164: a plus, up to 15 digits, the first not zero.
phone_validator = RegexValidator(r"^\+[1-9]\d{6,14}$", _("Use the international form: +4930123456."))


class RecipientSettings(models.Model):
    """What the user table does not know: phone, language, time zone, quiet hours."""

    recipient = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="notification_settings"
    )
    phone = models.CharField(max_length=16, blank=True, validators=[phone_validator])
    #: Language tag such as de or de-AT; empty: the site's language.
    locale = models.CharField(max_length=20, blank=True)
    #: IANA name; empty: the site's zone.
    time_zone = models.CharField(max_length=50, blank=True)
    #: As `pipeline.quiet_hours.QuietHours.from_json` reads it; empty: none.
    quiet_hours = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "recipient settings"
        permissions = [
            ("act_for_recipient", "Can change wishes and addresses for a recipient"),
            ("erase_recipient", "Can export and erase the data of a recipient"),
        ]

    def __str__(self) -> str:
        return str(self.recipient)


class Preference(models.Model):
    """One wish: this recipient, this category or this template, this channel. No row: send at once."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences"
    )
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    template = models.ForeignKey(Template, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel)
    cadence = models.CharField(max_length=12, choices=Cadence, default=Cadence.IMMEDIATELY)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="preference_category_or_template",
                condition=Q(category__isnull=True, template__isnull=False)
                | Q(category__isnull=False, template__isnull=True),
                violation_error_message=_("Choose a category or a template, not both."),
            ),
            # One wish each; these also serve the planner's look-up by recipient.
            models.UniqueConstraint(
                fields=["recipient", "category", "channel"],
                condition=Q(template__isnull=True),
                name="preference_by_category_once",
            ),
            models.UniqueConstraint(
                fields=["recipient", "template", "channel"],
                condition=Q(category__isnull=True),
                name="preference_by_template_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category_id or self.template_id} by {self.channel}: {self.cadence}"
