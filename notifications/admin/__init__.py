"""The pages of staff. Importing this registers them."""

from __future__ import annotations

from django.contrib import admin
from django_dramatiq import admin as dramatiq_admin  # noqa: F401 - it registers itself; below it is undone
from django_dramatiq.models import Task

from notifications.admin import (
    api_keys,
    broadcast,
    category,
    delivery,
    groups,
    log,
    operations,
    pauses,
    recipient,
    suppressions,
    template,
    wording,
)

__all__ = ["api_keys", "broadcast", "category", "delivery", "groups", "log", "operations", "pauses"]
__all__ += ["recipient", "suppressions", "template", "wording"]

# Its pages show arguments and tracebacks unescaped: a stored <script> would run in the browser of staff.
admin.site.unregister(Task)
