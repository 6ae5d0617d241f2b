"""
What size costs: the inbox among ten million notifications, and the memory of a worker with a million recipients.

    python -m tests.services --durable -- python -m benchmarks.full [--notifications N] [--recipients N …]

Loads N old notifications into the database of DATABASE_URL (see `benchmarks.old_rows`; what was loaded before stays),
measures, prints tables, and writes benchmarks/results/full.json. Ten million take 15 GB of the disk of TMPDIR.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import django

from benchmarks import inbox, old_rows, worker_memory

RESULTS = Path(__file__).parent / "results" / "full.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full", description="What size costs.")
    parser.add_argument("--notifications", type=int, default=old_rows.DEFAULT, metavar="N", help="old rows to load")
    parser.add_argument(
        "--recipients", type=int, nargs="*", default=list(worker_memory.DEFAULT), metavar="N", help="of one broadcast"
    )
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    django.setup()
    keep("inbox", measure_inbox(options.notifications))
    if options.recipients:
        found = worker_memory.measure(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], options.recipients)
        keep("worker_memory", {"recipients": list(found), "megabytes": list(found.values())})


def measure_inbox(notifications: int) -> dict[str, Any]:
    """Load, unless there is something, and measure; return what is kept of it."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    if not is_loaded():
        old_rows.load_old_rows(os.environ["DATABASE_URL"], notifications)
    loaded = round(time.perf_counter() - began)
    costs = inbox.measure()
    show(costs)
    return {**about(), "load_seconds": loaded, "costs": {name: asdict(cost) for name, cost in costs.items()}}


def is_loaded() -> bool:
    from django.contrib.auth.models import User

    return User.objects.filter(username=old_rows.BIG).exists()


def about() -> dict[str, Any]:
    """Return what was measured on."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version(), reltuples::bigint, pg_database_size(current_database()) "
            "FROM pg_class WHERE oid = 'notifications_notification'::regclass"
        )
        version, notifications, size = cursor.fetchone()
    return {
        "postgresql": version,
        "notifications": notifications,
        "database_bytes": size,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }


def show(costs: dict[str, inbox.Cost]) -> None:
    print(f"\n{'':32} {'asked':>6} {'p50 ms':>9} {'p99 ms':>9} {'statements':>10} {'rows':>9} {'pages':>9}")
    for name, cost in costs.items():
        times = f"{cost.asked:>6} {cost.p50:>9.2f} {cost.p99:>9.2f}"
        print(f"{name:32} {times} {cost.statements:>10} {cost.rows:>9,} {cost.pages:>9,}")


def keep(name: str, result: dict[str, Any]) -> None:
    """Write a result beside those of other runs."""
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**known, name: result}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
