"""What staff edit: categories, templates, their immutable versions and the wording of each channel and language."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.types import Channel, Priority, QuietPolicy

code_validator = RegexValidator(r"^[A-Z][A-Z0-9_]*$", _("Use capital letters, digits and underscores: ORDER_CREATED."))


class Category(models.Model):
    """What people opt in or out of."""

    code = models.SlugField(primary_key=True, max_length=50)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    required = models.BooleanField(default=False, help_text=_("People cannot switch it off."))
    #: Channel → cadence, for those who have no wish of their own; a channel that is not here: immediately.
    defaults = models.JSONField(
        default=dict, blank=True, help_text=_('For people without a wish of their own, such as {"sms": "off"}.')
    )
    quiet_hours = models.CharField(
        max_length=10,
        choices=QuietPolicy,
        default=QuietPolicy.URGENT,
        help_text=_("What may be sent in people's quiet hours; the rest waits for their end."),
    )
    daily_cap = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Notifications a person gets by e-mail, text message and so on in a day; the inbox has them all."),
    )

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Template(models.Model):
    """
    A kind of message, by the code that business code uses.

    `variables` is the contract with that code: name → {"sample": any, "required": bool}.
    """

    code = models.CharField(primary_key=True, max_length=64, validators=[code_validator])
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="templates")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    variables = models.JSONField(default=dict, blank=True)
    #: Channel → seconds: by this channel only if it is not read in the app by then.
    escalation = models.JSONField(
        default=dict,
        blank=True,
        help_text=_(
            'By this channel only if it is not read in the app after so many seconds, such as {"email": 1800}.'
        ),
    )
    #: As `pipeline.rules.digest` reads it; empty: each is sent on its own.
    digest = models.JSONField(
        default=dict,
        blank=True,
        help_text=_(
            'Collect what comes within so many seconds: {"window": 600}. "sliding": true begins anew with each, for at '
            'most "longest" seconds; "first_now": true sends the first at once; "template" names other words for it.'
        ),
    )
    #: Name of a guard of business code; empty: always valid.
    still_valid = models.CharField(max_length=64, blank=True, editable=False)
    #: Names of the buttons its inbox items have, answered by business code.
    actions = models.JSONField(default=list, blank=True, editable=False)
    #: The version new events are dispatched with. Null: nothing is published yet.
    live_version = models.ForeignKey(
        "TemplateVersion", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    disabled_at = models.DateTimeField(null=True, blank=True, help_text=_("Nothing is sent with it while this is set."))
    #: Identity of the shipped wording that was seeded last; empty for templates staff made.
    shipped_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    def sample(self) -> dict[str, Any]:
        """Return one sample value for each declared variable."""
        return {name: declared["sample"] for name, declared in self.variables.items()}


class TemplateVersion(models.Model):
    """One state of a template's wording: a draft until `published_at`, never changed after."""

    class Origin(models.TextChoices):
        SHIPPED = "shipped", _("shipped with the code")
        STAFF = "staff", _("edited by staff")

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.STAFF, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    #: When its words were last changed, and by whom. Null: not since it was made.
    edited_at = models.DateTimeField(null=True, blank=True, editable=False)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    #: A database trigger keeps the words from then on (migration 0032).
    published_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["template", "-number"]
        permissions = [
            ("publish_templateversion", "Can publish and roll back wording"),
        ]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="version_number_once")]

    def __str__(self) -> str:
        return f"{self.template_id} v{self.number}"


class TemplateContent(models.Model):
    """The wording of one channel, in one language (empty: any) and one A/B variant (empty: everybody)."""

    version = models.ForeignKey(TemplateVersion, on_delete=models.CASCADE, related_name="contents")
    channel = models.CharField(max_length=10, choices=Channel)
    locale = models.CharField(max_length=20, blank=True, help_text=_("Language tag such as de or de-AT; empty: any."))
    variant = models.CharField(max_length=20, blank=True, editable=False)
    title = models.TextField(blank=True, help_text=_("Subject of an e-mail, heading of an inbox item."))
    body = models.TextField(help_text=_("Plain text."))
    html = models.TextField(blank=True, help_text=_("E-mail only; empty: made from the text."))

    class Meta:
        ordering = ["version", "channel", "locale", "variant"]
        constraints = [
            models.UniqueConstraint(fields=["version", "channel", "locale", "variant"], name="content_once"),
        ]

    def __str__(self) -> str:
        words = [str(self.get_channel_display()), self.locale or _("any language"), self.variant]
        return ", ".join(str(word) for word in words if word)
