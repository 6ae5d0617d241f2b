"""Our own contestant: the project as it is shipped, its worker started as its README says."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import redis

from benchmarks import producer
from benchmarks.contestant import AT_ONCE, WORKERS, Contestant, Run, Void
from benchmarks.databases import create_database
from benchmarks.processes import cpu_seconds, finish, running, wait_until
from benchmarks.stopwatch import BEGUN
from notifications import realtime

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 300.0
#: Events of one transaction where they are published beforehand.
BEFOREHAND = 100
#: A worker may begin before the producer, whose commit it was, goes on and looks at its watch.
SOONER = 0.002
#: Nothing is older.
NIL = UUID(int=0)
TABLES = ("event", "broadcast", "notification", "delivery", "attempt", "frequencycount", "digest")
#: Each part is the first entry of a partial index, and asked so that no plan reads the table: asking costs next to nothing.
OPEN = """SELECT (SELECT id FROM notifications_event WHERE state = 'pending' ORDER BY priority, due_at LIMIT 1) IS NOT NULL
    OR (SELECT id FROM notifications_event WHERE state = 'dispatching' ORDER BY lease_until LIMIT 1) IS NOT NULL
    OR (SELECT id FROM notifications_delivery WHERE state = 'pending' AND digest_id IS NULL
        ORDER BY channel, priority, due_at LIMIT 1) IS NOT NULL
    OR (SELECT id FROM notifications_delivery WHERE state = 'sending' ORDER BY lease_until LIMIT 1) IS NOT NULL"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """Seconds after each sample was due."""

    begun: list[float]
    readable: list[float]


class Ours(Contestant):
    name = "this project"
    #: Worker processes.
    workers = WORKERS
    #: The statement that tells whether something is left to be done.
    still_open = OPEN

    def __init__(self, *, database_url: str, redis_url: str, folder: Path) -> None:
        super().__init__(database_url=database_url, redis_url=redis_url, folder=folder)
        self._log = folder / "ours.log"
        #: What has a smaller id was there before the run.
        self._since = NIL
        self._environment = {"DJANGO_SETTINGS_MODULE": "benchmarks.settings", "REDIS_URL": redis_url}

    def versions(self) -> dict[str, str]:
        names = ("django", "dramatiq", "psycopg", "redis", "hiredis")
        return {"python": sys.version.split()[0]} | {name: importlib.metadata.version(name) for name in names}

    def prepare(self, people: int) -> None:
        self.database_url = create_database(self.database_url, "ours")
        self._environment["DATABASE_URL"] = self.database_url
        self._produce(["prepare", people])

    def single_drain(self, count: int) -> Run:
        self.empty()
        share = count // 4
        self._publish(4, share, BEFOREHAND)
        with running(self._worker(), self._environment, self._log):
            # Starting up is left out, here and with the others.
            wait_until(
                lambda: bool(self._ask("SELECT EXISTS (SELECT 1 FROM notifications_notification WHERE id > %s)", 1)),
                seconds=60,
                what="begun",
            )
            started = time.time()
            self._until_settled()
            return self._run(4 * share, started)

    def single_live(self, count: int, producers: int) -> Run:
        self.empty()
        share = count // producers
        with running(self._worker(), self._environment, self._log):
            self._until_ready()
            started = self._publish(producers, share, 1)
            self._until_settled()
            return self._run(share * producers, started)

    def batch(self, people: int, *, shared: bool) -> Run:
        self.empty()
        with running(self._worker(), self._environment, self._log):
            self._until_ready()
            printed = self._produce(["batch", people, producer.SHARED if shared else producer.PERSONAL])
            self._until_settled()
            return self._run(people, float(printed[0]))

    def pickup(self, samples: int) -> list[float]:
        return self.latencies(samples).begun

    def latencies(self, samples: int, *, delay: float = 0.0) -> Latencies:
        """Publish one at a time on an idle system; return how long after being due each began, and could be read."""
        self.empty()
        server = redis.Redis.from_url(self.redis_url)
        told: list[float] = []
        listener = server.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        # Said once the transaction that writes the item is committed: then it can be read.
        listener.psubscribe(**{realtime.channel_prefix(0) + "*": lambda _: told.append(time.time())})
        thread = listener.run_in_thread(sleep_time=1.0, daemon=True)
        with running(self._worker(), self._environment | {"STOPWATCH": "1"}, self._log):
            self._until_ready()
            due = [at + delay for at in json.loads(self._produce(["pickup", samples, delay])[0])]
            wait_until(lambda: len(told) >= samples, seconds=10.0, what="all said to be there")
            self._until_settled()
            begun = sorted(float(at) for at in server.lrange(BEGUN, 0, -1))
        thread.stop()
        thread.join()
        # The clock of a worker wakes, too: what counts is the first beginning after it was due.
        first = [begun[bisect_left(begun, at - SOONER)] for at in due]
        return Latencies(
            begun=[after - at for after, at in zip(first, due, strict=True)],
            readable=[after - at for after, at in zip(sorted(told), due, strict=True)],
        )

    def publish_cost(self, rounds: int) -> tuple[list[float], list[float]]:
        """Return the seconds of each bare INSERT by the ORM, and of publishing the same."""
        self.empty()
        bare, ours = json.loads(self._produce(["cost", rounds])[0])
        return bare, ours

    def idle(self, seconds: float) -> float:
        """Return the share of a core that one idle worker process takes."""
        self.empty()
        with running(self._worker(), self._environment, self._log) as processes:
            self._until_ready()
            time.sleep(2.0)
            before = cpu_seconds(processes[0].pid)
            time.sleep(seconds)
            return (cpu_seconds(processes[0].pid) - before) / seconds / self.workers

    def empty(self) -> None:
        """Begin anew: no rows, no messages."""
        tables = ", ".join(f"notifications_{table}" for table in TABLES)
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {tables} CASCADE")
            connection.execute("CHECKPOINT")
        redis.Redis.from_url(self.redis_url).flushdb()

    def _publish(self, producers: int, share: int, per_transaction: int) -> float:
        """Have so many processes publish their share one by one; return when the first began."""
        arguments = (["publish", share, number * share, per_transaction] for number in range(producers))
        return min(float(text) for text in self._produce(*arguments, together=True))

    def _produce(self, *arguments: list[Any], together: bool = False) -> list[str]:
        commands = [[sys.executable, "-m", "benchmarks.producer", *map(str, some)] for some in arguments]
        return finish(commands, self._environment, together=together)

    def _worker(self) -> list[list[str]]:
        options = ["--processes", str(self.workers), "--threads", str(AT_ONCE)]
        return [[sys.executable, "manage.py", "rundramatiq", *options]]

    def _until_ready(self) -> None:
        """Wait for the first heartbeats of all processes."""
        beats = "SELECT count(*) FROM notifications_workerheartbeat"
        wait_until(lambda: self._ask(beats) >= self.workers, seconds=60, what="workers that beat")

    def _until_settled(self) -> None:
        wait_until(lambda: not self._ask(self.still_open), seconds=LIMIT, what="everything settled")

    def _run(self, count: int, started: float) -> Run:
        seconds = time.time() - started
        found = self._ask(
            "SELECT (SELECT count(*) FROM notifications_notification WHERE id > %s), "
            "(SELECT count(*) FROM notifications_delivery WHERE state = 'sent' AND id > %s), "
            "(SELECT count(*) FROM notifications_delivery WHERE id > %s), "
            "(SELECT count(*) FROM notifications_attempt WHERE outcome = 'sent' AND delivery_id > %s)",
            4,
            row=True,
        )
        if found != (count, 2 * count, 2 * count, count):
            raise Void(f"Of {count} notifications there are (notifications, sent, deliveries, attempts): {found}.")
        return Run(count=count, seconds=seconds)

    def _ask(self, sql: str, sinces: int = 0, *, row: bool = False) -> Any:
        """Ask the database; in each of so many places stands what was there before."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            found = connection.execute(sql, [self._since] * sinces).fetchone()
        assert found is not None
        return found if row else found[0]
