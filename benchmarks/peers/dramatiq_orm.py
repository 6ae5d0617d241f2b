"""Dramatiq with the Django ORM, the usual way: its broker as it comes, one message a notification."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.contestant import AT_ONCE, WORKERS
from benchmarks.peers.on_django import OnDjango

if TYPE_CHECKING:
    import redis


class DramatiqOrm(OnDjango):
    name = "Dramatiq + Django ORM"
    database = "dramatiq_orm"
    redis_number = 4
    framework = "dramatiq"
    packages = ("dramatiq",)

    def workers(self) -> list[list[str]]:
        options = [
            "--processes",
            str(WORKERS),
            "--threads",
            str(AT_ONCE),
            "--log-file",
            str(self.folder / "dramatiq.log"),
        ]
        return [[sys.executable, "-m", "dramatiq", *options, "benchmarks.peers.project.dramatiq_worker"]]

    def waiting(self, server: redis.Redis) -> int:
        # Messages stay there until they are acknowledged; .DQ: those to be tried again.
        with server.pipeline() as pipeline:
            pipeline.hlen("dramatiq:default.msgs")
            pipeline.hlen("dramatiq:default.DQ.msgs")
            return sum(pipeline.execute())
