"""The ASGI entrance: `uvicorn config.asgi:application`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.asgi import get_asgi_application

if TYPE_CHECKING:
    from dramatiq import Worker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django = get_asgi_application()
# Only now: it reads the settings and uses the models.
from notifications.api.stream import NotificationStreams  # noqa: E402

application = NotificationStreams(django)

#: The worker inside this process; whoever runs the server may stop it.
embedded_worker: Worker | None = None
if settings.EMBEDDED_WORKER:
    from notifications.worker import start_embedded_worker

    embedded_worker = start_embedded_worker()
