"""The WSGI entrance: `gunicorn config.wsgi:application`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from dramatiq import Worker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

#: The worker inside this process; whoever runs the server may stop it.
embedded_worker: Worker | None = None
if settings.EMBEDDED_WORKER:
    from notifications.worker import start_embedded_worker

    embedded_worker = start_embedded_worker()
