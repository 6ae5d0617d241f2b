"""
What a worker process has besides its actors: the clock, the stop flag, the heartbeat, and the will to end when broken.

Added to the broker in `apps.ready()`; a dotted path in the settings would be imported before the models.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import dramatiq
from django.db import DatabaseError, close_old_connections, connections

from notifications import clock, conf, ids, registry, signals, tasks, wakeups
from notifications.broker import EmbeddedBroker
from notifications.maintenance import (
    digests,
    erasures,
    expirer,
    heartbeats,
    progress,
    pruner,
    reclaimer,
    rollup,
    snoozes,
    sweeper,
)
from notifications.maintenance.job import Job, patience
from notifications.maintenance.lookout import Lookout
from notifications.pipeline import breaker, links
from notifications.pipeline.draining import drain, places

if TYPE_CHECKING:
    from datetime import datetime

#: Threads that run drains when the broker does not answer.
STAND_IN_THREADS = 4
#: Threads of the worker inside a web process.
EMBEDDED_THREADS = 10
#: Rows an embedded worker frees when it boots.
BOOT_BATCH = 100_000
#: The exit code of a worker whose threads have died, and the seconds its messages in hand get before.
BROKEN, LAST_SECONDS = 70, 10.0
#: Seconds between two heartbeats.
HEARTBEAT = 3.0
#: A batch makes objects by the thousand and none in circles: looking for those after every 700, as Python does unasked,
#: took a sixth of its time.
COLLECT_AFTER = (20_000, 20, 50)


def collect_seldom() -> None:
    """Have Python look for circles of objects less often, and not among those that are there now, which stay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def warm_up() -> None:
    """Do now what the first e-mail would wait for half a second: its links need the site's URLs, and these all views."""
    links.pages()
    collect_seldom()


class NotificationsMiddleware(dramatiq.Middleware):
    """Start the clock with the worker, and stop it before."""

    def __init__(self) -> None:
        self._clock: Clock | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        embedded = isinstance(broker, EmbeddedBroker)
        if isinstance(broker, EmbeddedBroker):
            broker.has_worker = True
        places.threads = worker.worker_threads
        places.stopping.clear()
        self._clock = Clock(worker, ends_process=not embedded)
        try:
            if not embedded:
                warm_up()
        finally:
            self._clock.start()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        places.stopping.set()
        if isinstance(broker, EmbeddedBroker):
            broker.has_worker = False
        if self._clock is not None:
            self._clock.stop()

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        registry.close_adapters()


class Clock:
    """The thread that looks every second for what is due. It never sends: it rings, or hands over to stand-ins."""

    def __init__(self, worker: dramatiq.Worker, *, ends_process: bool) -> None:
        self._worker = worker
        self._ends_process = ends_process
        self._identity = heartbeats.Identity(
            id=ids.uuid7(),
            threads=worker.worker_threads,
            queues=tuple(sorted(worker.broker.get_declared_queues())),
            started_at=clock.now(),
        )
        self._jobs = (
            Job(name="reclaimer", run=reclaimer.run_once, every=1, firsts=reclaimer.firsts()),
            Job(name="expirer", run=expirer.run_once, every=1, firsts=expirer.firsts()),
            Job(name="digests", run=digests.run_once, every=1, firsts=digests.firsts()),
            Job(name="snoozes", run=snoozes.run_once, every=1, firsts=snoozes.firsts()),
            Job(name="sweeper", run=self._sweep, every=1, firsts=sweeper.firsts()),
            Job(name="pauses", run=breaker.close_recovered, every=5),
            Job(name="heartbeat", run=self._beat, every=HEARTBEAT),
            Job(name="progress", run=progress.run_once, every=5, firsts=progress.firsts()),
            Job(name="rollup", run=rollup.run_once, every=5),
            Job(name="erasures", run=erasures.run_once, every=5, firsts=erasures.firsts()),
            Job(name="pruner", run=pruner.run_once, every=60),
            Job(name="heartbeats", run=heartbeats.run_once, every=600),
        )
        self._lookout = Lookout({job.name: job.firsts for job in self._jobs if job.firsts})
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
            now, monotonic = clock.now(), time.monotonic()
            for job in self._to_do(now):
                job.tick(now, monotonic)
            close_old_connections()
            if (fault := fault_of(self._worker)) and self._ends_process and not self._stop.is_set():
                end_process(fault)
            # Uneven, so that the clocks of several workers do not ask at the same instant.
            self._stop.wait(conf.current().clock_interval * random.uniform(0.8, 1.2))  # noqa: S311
        self._leave()

    def _to_do(self, now: datetime) -> list[Job]:
        """Return the jobs that have something to do, and those of which it is not known beforehand."""
        try:
            with patience():
                waiting = self._lookout.waiting(now)
        except DatabaseError as e:
            signals.clock_failed.send(Clock, job="lookout", error=e)
            return list(self._jobs)
        return [job for job in self._jobs if not job.firsts or job.name in waiting]

    def _sweep(self, now: datetime, limit: int) -> int:
        number = sweeper.run_once(now, limit)
        if wakeups.is_failing():
            for actor in sweeper.due_actors(now):
                if not places.busy(actor):
                    self._stand_ins.submit(_drain_without_broker, actor)
        return number

    def _beat(self, now: datetime, limit: int) -> int:
        heartbeats.beat(self._identity, now=now, fault=fault_of(self._worker))
        return 0

    def _leave(self) -> None:
        try:
            heartbeats.leave(self._identity)
        except DatabaseError as e:
            # The row is cleared away in a day; stopping goes on.
            signals.clock_failed.send(Clock, job="heartbeat", error=e)
        connections.close_all()


def fault_of(worker: dramatiq.Worker) -> str:
    """
    Name the threads of a worker that have died; empty: all is well.

    Dramatiq 2.2 does lose consumer threads when Redis stalls, and the process then looks healthy and does nothing.
    """
    dead = [f"consumer of {name}" for name, consumer in worker.consumers.items() if not consumer.is_alive()]
    threads = sum(not thread.is_alive() for thread in worker.workers)
    if threads:
        dead.append(f"{threads} of {worker.worker_threads} worker threads")
    return ", ".join(dead)[:200]


def end_process(fault: str) -> None:
    """Begin nothing more, let the messages in hand be settled, and exit with a code that says so."""
    signals.worker_broken.send(Clock, fault=fault)
    places.stopping.set()
    until = time.monotonic() + LAST_SECONDS
    while places.number() and time.monotonic() < until:
        time.sleep(0.05)
    # Not `sys.exit`: that would end this thread only.
    os._exit(BROKEN)


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
    reclaimer.run_once(clock.now() + conf.current().lease_time, BOOT_BATCH)
    worker = dramatiq.Worker(dramatiq.get_broker(), worker_threads=EMBEDDED_THREADS, worker_timeout=100)
    worker.start()
    return worker
