"""The ASGI entrance: `uvicorn config.asgi:application`."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_asgi_application()

if settings.EMBEDDED_WORKER:
    from notifications.worker import start_embedded_worker

    start_embedded_worker()
