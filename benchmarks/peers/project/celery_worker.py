"""The project on Celery: `celery --app benchmarks.peers.project.celery_worker worker`."""

from __future__ import annotations

import django
from celery import Celery
from celery.signals import worker_ready
from django.conf import settings

django.setup()

from benchmarks.contestant import WORKERS  # noqa: E402
from benchmarks.peers.project.notifying import count_ready, notify  # noqa: E402


def broker_url(redis_url: str) -> str:
    """Return the URL as kombu wants it: over a unix socket, the database is a virtual host."""
    return redis_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


app = Celery("peers", broker=broker_url(settings.REDIS_URL))
# Connections stay: as Celery comes, each task opens its own.
app.conf.update(CELERY_DB_REUSE_MAX=1_000_000)
app.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)
task = app.task(notify, name="notify")


@worker_ready.connect  # type: ignore[untyped-decorator]
def say_ready(**_: object) -> None:
    count_ready(WORKERS)
