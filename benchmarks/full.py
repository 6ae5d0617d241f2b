"""
What size costs: the inbox among ten million notifications, and the memory of a worker with a million recipients.

    python -m tests.services --durable -- python -m benchmarks.full [--notifications N] [--recipients N …]

Loads N old notifications into the database of DATABASE_URL (see `benchmarks.old_rows`; what was loaded before stays),
measures, prints tables, and writes benchmarks/results/full.json. Ten million rows take 20 GB on the disk of TMPDIR.
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
from django.core.management import call_command
from django.db import connection

from benchmarks import inbox, old_rows

RESULTS = Path(__file__).parent / "results" / "full.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full", description="What size costs.")
    parser.add_argument("--notifications", type=int, default=old_rows.DEFAULT)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    if not is_loaded():
        old_rows.load_old_rows(os.environ["DATABASE_URL"], options.notifications)
    loaded = time.perf_counter() - began
    costs = inbox.measure()
    show(costs)
    write(
        {
            "inbox": {
                "about": about() | {"load_seconds": round(loaded)},
                "costs": {n: asdict(c) for n, c in costs.items()},
            }
        }
    )


def is_loaded() -> bool:
    from django.contrib.auth.models import User

    return User.objects.filter(username=old_rows.BIG).exists()


def about() -> dict[str, Any]:
    """Return what was measured on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version(), reltuples::bigint FROM pg_class WHERE oid = 'notifications_notification'::regclass"
        )
        version, notifications = cursor.fetchone()
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
    return {"postgresql": version, "notifications": notifications, "database_bytes": size, "cores": os.cpu_count()}


def show(costs: dict[str, inbox.Cost]) -> None:
    print(f"\n{'':32} {'asked':>6} {'p50 ms':>9} {'p99 ms':>9} {'statements':>10} {'rows':>9} {'pages':>9}")
    for name, cost in costs.items():
        print(
            f"{name:32} {cost.asked:>6} {cost.p50:>9.2f} {cost.p99:>9.2f} {cost.statements:>10} {cost.rows:>9,} {cost.pages:>9,}"
        )


def write(results: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(known | results, indent=1) + "\n")


if __name__ == "__main__":
    main()
