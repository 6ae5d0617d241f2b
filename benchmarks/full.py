"""
What size costs: the inbox, the logs and the workers' pace among ten million notifications; a worker's memory with a
million recipients.

    python -m tests.services --durable -- python -m benchmarks.full [--only PART …] [--notifications N] [--recipients N …]

Loads N old notifications into the database of DATABASE_URL (see `benchmarks.old_rows`; what was loaded before stays),
measures, prints tables, and writes them into benchmarks/results/full.json. Ten million take 15 GB of the disk of TMPDIR.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import django

from benchmarks import growth, inbox, old_rows, worker_memory

PARTS = ("inbox", "growth", "admin", "memory")
RESULTS = Path(__file__).parent / "results" / "full.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full", description="What size costs.")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}"
    )
    parser.add_argument("--notifications", type=int, default=old_rows.DEFAULT, metavar="N", help="old rows to load")
    parser.add_argument(
        "--recipients", type=int, nargs="*", default=list(worker_memory.DEFAULT), metavar="N", help="of one broadcast"
    )
    parser.add_argument("--result", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    keep = partial(_keep, options.result)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    django.setup()
    if {"inbox", "growth", "admin"}.intersection(options.only):
        seconds = load(options.notifications)
    if "inbox" in options.only:
        keep("inbox", {**about(), "load_seconds": seconds, "costs": measure_inbox()})
    if "growth" in options.only:
        with tempfile.TemporaryDirectory() as folder:
            rates = growth.measure(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], Path(folder))
        keep("growth", {**about(), **rates})
    if "admin" in options.only:
        keep("admin", {**about(), "waits": measure_admin()})
    if "memory" in options.only and options.recipients:
        found = worker_memory.measure(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], options.recipients)
        keep("worker_memory", {"recipients": list(found), "megabytes": list(found.values())})


def load(notifications: int) -> int:
    """Write the old rows, unless there are some; return how many seconds it took."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    if not is_loaded():
        old_rows.load_old_rows(os.environ["DATABASE_URL"], notifications)
    return round(time.perf_counter() - began)


def measure_inbox() -> dict[str, Any]:
    """Measure, print, and return what is kept of it."""
    costs = inbox.measure()
    show(costs)
    return {name: asdict(cost) for name, cost in costs.items()}


def measure_admin() -> dict[str, Any]:
    """Measure, print, and return what is kept of it."""
    from benchmarks import admin_lists

    return {name: asdict(wait) for name, wait in admin_lists.measure().items()}


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


def _keep(file: Path, name: str, result: dict[str, Any]) -> None:
    """Write a result beside those of other runs."""
    file.parent.mkdir(exist_ok=True)
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps({**known, name: result}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
