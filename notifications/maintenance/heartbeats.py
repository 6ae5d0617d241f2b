"""Which workers are alive: each writes its row, and the rows of the long dead are cleared away."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from notifications.models import WorkerHeartbeat

if TYPE_CHECKING:
    from datetime import datetime

#: Rows of dead workers are kept so long, for whoever looks what happened.
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A worker process."""

    id: UUID
    threads: int
    queues: tuple[str, ...]
    started_at: datetime


def beat(identity: Identity, *, now: datetime, fault: str = "") -> None:
    """Write that this worker is alive, or what is wrong with it."""
    if WorkerHeartbeat.objects.filter(id=identity.id).update(seen_at=now, fault=fault):
        return
    WorkerHeartbeat.objects.create(
        id=identity.id,
        host=socket.gethostname()[:255],
        process=os.getpid(),
        threads=identity.threads,
        queues=list(identity.queues),
        started_at=identity.started_at,
        seen_at=now,
        fault=fault,
    )


def leave(identity: Identity) -> None:
    """Take the row of a worker that stops in good order away."""
    WorkerHeartbeat.objects.filter(id=identity.id).delete()


def run_once(now: datetime, limit: int) -> int:
    """Clear the rows of at most `limit` long dead workers; return how many."""
    dead = WorkerHeartbeat.objects.filter(seen_at__lt=now - KEPT_FOR).values_list("pk", flat=True)[:limit]
    return WorkerHeartbeat.objects.filter(pk__in=list(dead)).delete()[0]
