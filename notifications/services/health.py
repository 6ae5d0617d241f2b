"""Is the system fit to work? The database answers, it is up to date, somebody works, and nothing is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from notifications import clock, conf
from notifications.models import WorkerHeartbeat
from notifications.services import backlog, probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

#: A worker that has not written for this long is not counted on any more. Its clock writes every three seconds.
ALIVE_FOR = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that has to be right."""

    name: str
    ok: bool
    #: What was found, in words: no address, no host, no text of an error.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All checks. What could not be asked any more is left out."""

    ok: bool
    checks: tuple[Check, ...]


def ready(now: datetime | None = None) -> Health:
    """
    Ask everything, in a few seconds at most; a database that does not answer is one of the answers.

    Without `now`, the clock is asked: later than the database, because it asks the database, too.
    """
    fault, checks = probe.fault(), list[Check]()
    if not fault:
        try:
            with probe.patience():
                # One by one, because those before an error are kept.
                for check in _questions(now or clock.now()):
                    checks.append(check)
        except Error as e:
            fault = type(e).__name__
    detail = f"It does not answer: {fault}." if fault else "It answers."
    checks.insert(0, Check(name="database", ok=not fault, detail=detail))
    return Health(ok=all(check.ok for check in checks), checks=tuple(checks))


def _questions(now: datetime) -> Iterator[Check]:
    yield _migrations()
    yield _workers(now)
    events: dict[str, float] = {}
    deliveries: dict[str, float] = {}
    for line, seconds in backlog.oldest_due(now).items():
        if line.channel is None:
            events[line.priority.name.lower()] = seconds
        else:
            deliveries[line.channel.value] = max(seconds, deliveries.get(line.channel.value, 0.0))
    yield _lateness("events", events)
    yield _lateness("deliveries", deliveries)
    yield _lateness("digests", {"digests": backlog.oldest_digest(now)})


def _migrations() -> Check:
    rows = MigrationRecorder(connection).migration_qs.values_list("app", "name")
    missing = [f"{app}.{name}" for app, name in sorted(_newest_migrations() - set(rows))]
    detail = f"Not applied: {', '.join(missing)}." if missing else "All are applied."
    return Check(name="migrations", ok=not missing, detail=detail)


@cache
def _newest_migrations() -> frozenset[tuple[str, str]]:
    """Return the last migration of each app. Files do not change while the process runs, so they are read once."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _workers(now: datetime) -> Check:
    alive = WorkerHeartbeat.objects.filter(seen_at__gt=now - ALIVE_FOR).order_by("started_at")
    faults = list(alive.values_list("fault", flat=True))
    broken = [fault for fault in faults if fault]
    if broken:
        detail = f"{len(broken)} of {len(faults)} have lost threads: {'; '.join(broken)}."
    else:
        detail = f"{len(faults)} alive." if faults else "None is alive."
    return Check(name="workers", ok=bool(faults) and not broken, detail=detail)


def _lateness(name: str, oldest: Mapping[str, float]) -> Check:
    allowed = conf.current().ready_lateness
    late = [f"{line} {seconds:.0f} s" for line, seconds in oldest.items() if seconds > allowed]
    detail = f"Late: {', '.join(late)}." if late else "Nothing is late."
    return Check(name=name, ok=not late, detail=detail)
