"""The WSGI entrance: `gunicorn config.wsgi:application`."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

if settings.EMBEDDED_WORKER:
    from notifications.worker import start_embedded_worker

    start_embedded_worker()
