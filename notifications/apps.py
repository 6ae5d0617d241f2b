"""Wiring: what has to be connected before the first event."""

from __future__ import annotations

import dramatiq
from django.apps import AppConfig
from django.db.models.signals import post_migrate


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from notifications import checks, log, tasks
        from notifications.services import roles
        from notifications.webhooks import esp
        from notifications.worker import NotificationsMiddleware

        checks.register()
        log.connect()
        post_migrate.connect(roles.create_missing, sender=self, dispatch_uid="notifications.roles")
        esp.connect()
        dramatiq.get_broker().add_middleware(NotificationsMiddleware())
        tasks.declare()
