"""Who may publish from outside: the keys of other services."""

from __future__ import annotations

from django.conf import settings
from django.db import models

#: In `templates`: every template there is, and will be.
ALL = "*"


class ApiKey(models.Model):
    """What a service shows to publish. The key itself is shown once, to who made it, and stored nowhere."""

    name = models.CharField(max_length=100)
    #: The part of the key that is no secret: names it in lists, logs and commands.
    prefix = models.CharField(max_length=20, unique=True, editable=False)
    #: SHA-256 of the whole key. It is random enough that guessing is hopeless, slow hash or not.
    hash = models.CharField(max_length=64, editable=False)
    #: Codes of the templates it may publish, or `["*"]`; empty: none.
    templates = models.JSONField(default=list, blank=True)
    may_publish = models.BooleanField(default=True)
    may_read = models.BooleanField(default=True)
    created_at = models.DateTimeField(editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: To the minute: a row that every request writes would make them wait for each other.
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def allows(self, template: str) -> bool:
        """Tell whether it may publish with this template."""
        return ALL in self.templates or template in self.templates
