"""
Where the time of a notification goes: processor time of Python and of PostgreSQL, step by step, in one process.

    python -m tests.services --durable -- python -m benchmarks.costs [single|personalised|shared] [--count N] [--profile]

The least of some rounds, because whatever else the machine does only adds to it.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from benchmarks.databases import create_database

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
#: Events of one transaction, where they are published one by one.
TOGETHER = 100
LINES = 45


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description="Where the time goes.")
    parser.add_argument("kind", nargs="?", choices=("single", "personalised", "shared"), default="personalised")
    parser.add_argument("--count", type=int, default=5000, help="notifications of a round")
    parser.add_argument("--profile", action="store_true", help="show the functions that take longest, of another round")
    options = parser.parse_args()
    os.environ["DATABASE_URL"] = create_database(os.environ["DATABASE_URL"], "costs")
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    measure(options.kind, options.count, profile=options.profile)


def measure(kind: str, count: int, *, profile: bool) -> None:
    from benchmarks import producer
    from notifications.pipeline.delivery import deliver_batch
    from notifications.pipeline.dispatch import dispatch_batch
    from notifications.types import Priority
    from notifications.worker import collect_seldom

    producer.prepare(count)
    collect_seldom()
    steps: dict[str, Callable[[], object]] = {
        "publish": lambda: publish(kind, count),
        "dispatch": lambda: until_nothing_is_due(lambda: dispatch_batch(Priority.LOW, more=lambda: None)),
        "deliver": lambda: until_nothing_is_due(lambda: deliver_batch("email", more=lambda: None)),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            python, postgresql = time.process_time(), of_postgresql()
            step()
            found[name].append((time.process_time() - python, of_postgresql() - postgresql))
    print(f"{'µs a notification':<20} {'Python':>8} {'PostgreSQL':>12}")
    for name, costs in found.items():
        python, postgresql = (min(column) / count * 1e6 for column in zip(*costs, strict=True))
        print(f"{name:<20} {python:>8.0f} {postgresql:>12.0f}")
    if profile:
        for name, step in steps.items():
            print(f"\n{name}\n{profiled(step)}")


def publish(kind: str, count: int) -> None:
    from django.contrib.auth.models import User
    from django.db import transaction

    from benchmarks import producer, work
    from notifications.publishing import publish_batch_notification, publish_notification

    people = list(User.objects.order_by("pk").values_list("pk", flat=True))
    if kind != "single":
        template = producer.SHARED if kind == "shared" else producer.PERSONAL
        publish_batch_notification(template, recipients=people, variables=work.VARIABLES)
        return
    for start in range(0, count, TOGETHER):
        with transaction.atomic():
            for person in people[start : start + TOGETHER]:
                publish_notification(producer.PERSONAL, recipient=person, variables=work.VARIABLES)


def until_nothing_is_due(step: Callable[[], int]) -> None:
    while step():
        pass


def of_postgresql() -> float:
    """Return the processor time of the server's process that serves us; it runs on this machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def profiled(step: Callable[[], Any]) -> str:
    profiler, text = cProfile.Profile(), io.StringIO()
    profiler.runcall(step)
    pstats.Stats(profiler, stream=text).sort_stats("tottime").print_stats(LINES)
    return text.getvalue()


if __name__ == "__main__":
    main()
