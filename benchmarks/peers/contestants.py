"""Every peer there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.bullmq import BullMQ, TunedBullMQ
from benchmarks.peers.celery_orm import CeleryOrm
from benchmarks.peers.dramatiq_orm import DramatiqOrm

if TYPE_CHECKING:
    from benchmarks.peers.peer import Peer

PEERS: tuple[type[Peer], ...] = (BullMQ, TunedBullMQ, CeleryOrm, DramatiqOrm)
