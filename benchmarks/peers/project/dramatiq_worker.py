"""The project on Dramatiq: `dramatiq benchmarks.peers.project.dramatiq_worker`, its broker as it comes."""

from __future__ import annotations

import django
import dramatiq
from django.conf import settings
from dramatiq.brokers.redis import RedisBroker

django.setup()

from benchmarks.peers.project.notifying import count_ready, notify  # noqa: E402


class Ready(dramatiq.Middleware):
    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        count_ready(1)


broker = RedisBroker(url=settings.REDIS_URL)
broker.add_middleware(Ready())
dramatiq.set_broker(broker)
task = dramatiq.actor(max_retries=3, min_backoff=2000)(notify)
