"""
How much memory a broadcast takes, by the number of its recipients.

    python -m benchmarks.broadcast_memory [RECIPIENTS …]

Publishes a queryset, and a named audience that is then expanded; each in a process of its own, over the database of
DATABASE_URL (default: a temporary SQLite file). Prints the peak resident set of the process, less what it had after a
broadcast to 100.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

DEFAULT = (1_000, 10_000, 100_000, 1_000_000)
#: Rows of one INSERT.
ROWS = 5000
#: Megabytes; ru_maxrss is in kilobytes on Linux.
MEGA = 1024


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
        environment.setdefault("DATABASE_URL", f"sqlite:///{folder}/benchmark.sqlite3")
        environment["SECRET_KEY"] = "benchmark"  # noqa: S105 - nobody can log in
        print(f"{'recipients':>12} {'queryset, MB':>14} {'s':>6} {'audience, MB':>14} {'s':>6}")
        for size in sizes:
            run("prepare", size, environment)
            results = [run(way, size, environment) for way in ("queryset", "audience")]
            cells = " ".join(f"{float(grown):>14.1f} {float(took):>6.1f}" for grown, took in results)
            print(f"{size:>12,} {cells}", flush=True)


def run(way: str, size: int, environment: dict[str, str]) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.broadcast_memory", way, str(size)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


def prepare(size: int) -> None:
    """Make the tables, and so many users."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("seed_notification_templates", verbosity=0, stdout=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    first = User.objects.count()
    for start in range(first, size, ROWS):
        User.objects.bulk_create(User(username=f"u{number}") for number in range(start, min(start + ROWS, size)))


def measure(way: str) -> None:
    """Tell everybody; print by how many megabytes the process grew, and the seconds."""
    from django.contrib.auth.models import User

    tell(way, User.objects.filter(pk__in=User.objects.order_by("pk").values("pk")[:100]))
    before, started = peak(), time.perf_counter()
    tell(way, User.objects.all())
    print(peak() - before, time.perf_counter() - started)


def tell(way: str, people: object) -> None:
    from notifications import registry
    from notifications.models import Broadcast, Event
    from notifications.pipeline.broadcasting import expand_batch
    from notifications.publishing import publish_batch_notification

    told: Any = {"recipients": people}
    if way == "audience":
        registry._audiences["everybody"] = lambda: people  # type: ignore[assignment,return-value]  # noqa: SLF001
        told = {"audience": "everybody"}
    publish_batch_notification("ORDER_DELIVERED", variables={"order_number": "1"}, **told)
    while expand_batch(more=lambda: None):
        pass
    Event.objects.all()._raw_delete(Event.objects.db)  # noqa: SLF001
    Broadcast.objects.all().delete()


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGA


if __name__ == "__main__":
    if sys.argv[1:2] in (["prepare"], ["queryset"], ["audience"]):
        import django

        django.setup()
        prepare(int(sys.argv[2])) if sys.argv[1] == "prepare" else measure(sys.argv[1])
    else:
        main([int(size) for size in sys.argv[1:]] or list(DEFAULT))
