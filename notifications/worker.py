"""
What a worker process has besides its actors: the clock, the stop flag, the number of its threads.

Added to the broker in `apps.ready()`; a dotted path in the settings would be imported before the models.
"""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import dramatiq
from django.db import close_old_connections, connections

from notifications import clock, conf, signals, tasks, wakeups
from notifications.broker import EmbeddedBroker
from notifications.maintenance import reclaimer, sweeper
from notifications.pipeline.draining import drain, places

if TYPE_CHECKING:
    from datetime import datetime

#: Rows one job of the clock touches in one go.
CLOCK_BATCH = 500
#: Threads that run drains when the broker does not answer.
STAND_IN_THREADS = 4
#: Threads of the worker inside a web process.
EMBEDDED_THREADS = 10


class NotificationsMiddleware(dramatiq.Middleware):
    """Start the clock with the worker, and stop it before."""

    def __init__(self) -> None:
        self._clock: Clock | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        if isinstance(broker, EmbeddedBroker):
            broker.has_worker = True
        places.threads = worker.worker_threads
        places.stopping.clear()
        self._clock = Clock()
        self._clock.start()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        places.stopping.set()
        if isinstance(broker, EmbeddedBroker):
            broker.has_worker = False
        if self._clock is not None:
            self._clock.stop()


class Clock:
    """The thread that looks every second for what is due. It never sends: it rings, or hands over to stand-ins."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._stand_ins = ThreadPoolExecutor(STAND_IN_THREADS, thread_name_prefix="stand-in")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, waiting for the round that is under way and for what the stand-ins are sending."""
        self._stop.set()
        self._thread.join()
        self._stand_ins.shutdown()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._round(clock.now())
            except Exception as e:  # noqa: BLE001 - the edge: the clock outlives a database restart
                signals.clock_failed.send(Clock, job="clock", error=e)
            close_old_connections()
            # Uneven, so that the clocks of several workers do not ask at the same instant.
            self._stop.wait(conf.current().clock_interval * random.uniform(0.8, 1.2))  # noqa: S311
        connections.close_all()

    def _round(self, now: datetime) -> None:
        reclaimer.run_once(now, CLOCK_BATCH)
        for actor in sweeper.due_actors(now):
            wakeups.ring(actor)
            if wakeups.is_failing() and not places.busy(actor):
                self._stand_ins.submit(_drain_without_broker, actor)


def _drain_without_broker(actor: str) -> None:
    try:
        drain(actor, tasks.steps()[actor])
    finally:
        connections.close_all()


def start_embedded_worker() -> dramatiq.Worker:
    """
    Start the worker threads inside this process, over the embedded broker; stop with `worker.stop()`.

    For one process only: rows a former process held are freed at once, because nobody else can hold them.
    """
    reclaimer.run_once(clock.now() + conf.current().lease_time, CLOCK_BATCH)
    worker = dramatiq.Worker(dramatiq.get_broker(), worker_threads=EMBEDDED_THREADS, worker_timeout=100)
    worker.start()
    return worker
