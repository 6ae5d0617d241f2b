"""Celery with the Django ORM: one task a notification, acknowledged late."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from benchmarks.contestant import WORKERS
from benchmarks.peers.on_django import OnDjango

if TYPE_CHECKING:
    import redis


class CeleryOrm(OnDjango):
    name = "Celery + Django ORM"
    database = "celery_orm"
    redis_number = 3
    framework = "celery"
    packages = ("celery", "kombu")

    def missing(self) -> str:
        installed = importlib.util.find_spec("celery")
        return "" if installed else "Celery is not installed: it is in the group `bench`."

    def workers(self) -> list[list[str]]:
        app = ["--app", "benchmarks.peers.project.celery_worker"]
        # Two workers on one machine need not greet each other.
        quiet = [
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--logfile",
            str(self.folder / "celery.log"),
        ]
        pool = ["--pool", "prefork", "--concurrency", str(WORKERS)]
        return [[sys.executable, "-m", "celery", "--quiet", *app, "worker", *pool, *quiet]]

    def waiting(self, server: redis.Redis) -> int:
        with server.pipeline() as pipeline:
            pipeline.llen("celery")
            pipeline.hlen("unacked")
            return sum(pipeline.execute())
