"""What the peers have in common: tables, a Redis database, a producer and workers, all driven alike."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

import redis

from benchmarks.contestant import WORKERS, Contestant, Run, Void
from benchmarks.databases import create_database
from benchmarks.peers.rows import PERSONAL, SHARED, Rows
from benchmarks.processes import finish, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

#: Who publishes beforehand, where it is not measured.
PRODUCERS = 2
START_SECONDS = 60.0
#: A run may take this long, and so much longer for each notification: 20 a second is slower than any peer.
LIMIT_SECONDS, SECONDS_EACH = 60.0, 1 / 20
#: Between the last message acknowledged and the last row seen.
LAST_ROW_SECONDS = 5.0
#: In Redis: how many processes are ready to work, and when the work of a sample began.
READY, PICKUPS = "bench:ready", "bench:pickups"


class Peer(Contestant):
    """
    A contestant whose producer and worker are programs.

    The producer is called with `publish COUNT FIRST TEMPLATE PEOPLE`, `batch COUNT TEMPLATE` or `pickup SAMPLES`, and
    prints the instant it began, or those of its publishing. To `publish`, it says before that it is ready, and waits for
    a line. Workers count themselves in READY, and write into PICKUPS.
    """

    #: Of its PostgreSQL database.
    database: ClassVar[str]
    #: Number of its Redis database.
    redis_number: ClassVar[int]

    def __init__(self, *, database_url: str, redis_url: str, folder: Path) -> None:
        super().__init__(
            database_url=database_url, redis_url=with_database(redis_url, self.redis_number), folder=folder
        )
        self._people = 0

    @abstractmethod
    def producer(self) -> list[str]:
        """Return the command that publishes."""

    @abstractmethod
    def workers(self) -> list[list[str]]:
        """Return the commands that work."""

    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """Return what both need to know."""

    @abstractmethod
    def waiting(self, server: redis.Redis) -> int:
        """Return how many messages are not acknowledged yet."""

    def prepare(self, people: int) -> None:
        self.database_url = create_database(self.database_url, self.database)
        self._people = people
        with self._rows() as rows:
            rows.fill(people)

    def single_drain(self, count: int) -> Run:
        with self._rows() as rows, redis.Redis.from_url(self.redis_url) as server:
            self._empty(rows, server)
            count, _ = self._publish(count, PRODUCERS)
            with running(self.workers(), self.environment(), self.folder / f"{self.database}.log"):
                # Starting up is left out, here as with us.
                wait_until(rows.begun, seconds=START_SECONDS, what="the first notification")
                started = time.time()
                return self._run(rows, server, count, started)

    def single_live(self, count: int, producers: int) -> Run:
        with self._working() as (rows, server):
            count, started = self._publish(count, producers)
            return self._run(rows, server, count, started)

    def batch(self, people: int, *, shared: bool) -> Run:
        with self._working() as (rows, server):
            (printed,) = self._produce(["batch", str(people), SHARED if shared else PERSONAL])
            return self._run(rows, server, people, float(printed))

    def pickup(self, samples: int) -> list[float]:
        with self._working() as (rows, server):
            (printed,) = self._produce(["pickup", str(samples), PERSONAL, str(self._people)])
            self._run(rows, server, samples, time.time())
            begun: Mapping[bytes, bytes] = server.hgetall(PICKUPS)  # type: ignore[assignment]
        returned = json.loads(printed)
        if len(begun) != len(returned):
            raise Void(f"Of {len(returned)} samples {len(begun)} began.")
        return [float(begun[str(number).encode()]) - at for number, at in enumerate(returned)]

    @contextmanager
    def _working(self) -> Iterator[tuple[Rows, redis.Redis]]:
        """Have the workers run, idle, over empty tables."""
        with self._rows() as rows, redis.Redis.from_url(self.redis_url) as server:
            self._empty(rows, server)
            with running(self.workers(), self.environment(), self.folder / f"{self.database}.log"):
                wait_until(lambda: int(server.get(READY) or 0) >= WORKERS, seconds=START_SECONDS, what="ready workers")
                yield rows, server

    @contextmanager
    def _rows(self) -> Iterator[Rows]:
        rows = Rows(self.database_url)
        try:
            yield rows
        finally:
            rows.close()

    def _empty(self, rows: Rows, server: redis.Redis) -> None:
        """Begin anew: no rows, no messages."""
        rows.empty()
        server.flushdb()

    def _publish(self, count: int, producers: int) -> tuple[int, float]:
        """Have so many processes publish one by one; return how many that were, and when the first began."""
        share = count // producers
        rest = [PERSONAL, str(self._people)]
        arguments = (["publish", str(share), str(share * n), *rest] for n in range(producers))
        printed = self._produce(*arguments, together=True)
        return share * producers, min(float(text) for text in printed)

    def _produce(self, *arguments: Sequence[str], together: bool = False) -> list[str]:
        return finish([[*self.producer(), *some] for some in arguments], self.environment(), together=together)

    def _run(self, rows: Rows, server: redis.Redis, count: int, started: float) -> Run:
        """Wait until all is settled, and see that it is all there. Redis is asked first: it costs the peer least."""
        limit = LIMIT_SECONDS + count * SECONDS_EACH
        wait_until(lambda: self.waiting(server) == 0, seconds=limit, what="an empty queue")
        try:
            wait_until(lambda: rows.sent() >= 2 * count, seconds=LAST_ROW_SECONDS, what="all deliveries sent")
        except Void:
            rows.check(count, self._people)
            raise
        ended = time.time()
        rows.check(count, self._people)
        return Run(count=count, seconds=ended - started)


def with_database(redis_url: str, number: int) -> str:
    """Return the URL of another database of the same server: the path says which, but over a unix socket."""
    if redis_url.startswith("unix:"):
        return f"{redis_url.partition('?')[0]}?db={number}"
    return urlsplit(redis_url)._replace(path=f"/{number}").geturl()
