"""
The publisher: business code in a process of its own. It writes down what was committed, and nothing else counts.

    python -m tests.chaos.publisher PLAN RESULTS [--rate PER_SECOND] [--threads N] [--patience SECONDS]
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.chaos.publications import Accepted, Publication, Refused, line, read_plan

if TYPE_CHECKING:
    from uuid import UUID

#: Seconds between two tries of what raised.
PAUSE = 0.1


class Publisher:
    """Publishes a plan, in one thread or with several at the same instant."""

    def __init__(self, results: Path, *, rate: float, patience: float, threads: int) -> None:
        self._results = os.open(results, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._rate = rate
        self._patience = patience
        self._threads = threads
        self._together = threading.Barrier(threads)

    def publish(self, plan: list[Publication]) -> None:
        """Publish all, each thread every n-th, step by step together; raise what is no refusal."""
        shares = [plan[first :: self._threads] for first in range(self._threads)]
        with ThreadPoolExecutor(self._threads) as pool:
            for published in [pool.submit(self._publish_share, share) for share in shares]:
                published.result()

    def _publish_share(self, share: list[Publication]) -> None:
        from django.db import connections

        try:
            self._publish_in_turn(share)
        except threading.BrokenBarrierError:
            # Another one failed, and says why.
            return
        except BaseException:
            self._together.abort()
            raise
        finally:
            connections.close_all()

    def _publish_in_turn(self, share: list[Publication]) -> None:
        started = time.monotonic()
        for index, publication in enumerate(share):
            if self._rate:
                time.sleep(max(started + index / self._rate - time.monotonic(), 0))
            self._together.wait()
            self._publish_one(publication)

    def _publish_one(self, publication: Publication) -> None:
        """Publish, again and again while the database is away; write down how it ended."""
        from django.db import DatabaseError, InterfaceError, connection

        from notifications.exceptions import PublishError

        until = time.monotonic() + self._patience
        while True:
            try:
                self._write(_commit(publication))
            except PublishError as e:
                self._write(_refused(publication, e))
            except (DatabaseError, InterfaceError) as e:
                self._write(_refused(publication, e))
                connection.close()
                if time.monotonic() < until:
                    time.sleep(PAUSE)
                    continue
            return

    def _write(self, result: Accepted | Refused) -> None:
        os.write(self._results, line(result))


def _commit(publication: Publication) -> Accepted:
    """Publish as business code does: in a transaction. Returns when it is committed."""
    from django.db import transaction

    begun = time.monotonic_ns()
    with transaction.atomic():
        events, created = _call(publication)
    return Accepted(
        events=tuple(event.hex for event in events),
        created=created,
        numbers=publication.numbers,
        channels=publication.channels,
        key=publication.key,
        begun=begun,
        at=time.monotonic_ns(),
    )


def _call(publication: Publication) -> tuple[tuple[UUID, ...], bool]:
    from notifications.publishing import publish_batch_notification, publish_notification

    variables = {"order_number": f"ORD-{publication.numbers[0]}", "tracking_code": publication.tracking_code}
    channels = list(publication.channels)
    key = publication.key or None
    if len(publication.numbers) == 1:
        one = publish_notification(
            "ORDER_SHIPPED",
            recipient=publication.numbers[0],
            variables=variables,
            channels=channels,
            priority=publication.priority,
            idempotency_key=key,
        )
        return (one.id,), one.created
    batch = publish_batch_notification(
        "ORDER_SHIPPED",
        recipients=None if publication.audience else publication.numbers,
        audience=publication.audience or None,
        variables=variables,
        channels=channels,
        priority=publication.priority,
        idempotency_key=key,
    )
    return batch.event_ids, batch.created


def _refused(publication: Publication, error: Exception) -> Refused:
    return Refused(error=type(error).__name__, numbers=publication.numbers, key=publication.key, at=time.monotonic_ns())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.publisher")
    parser.add_argument("plan", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--rate", type=float, default=0.0, help="publications each second, per thread; 0: no limit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--patience", type=float, default=0.0, help="seconds to repeat what the database refused")
    options = parser.parse_args()
    django.setup()
    publisher = Publisher(options.results, rate=options.rate, patience=options.patience, threads=options.threads)
    publisher.publish(read_plan(options.plan))


if __name__ == "__main__":
    main()
