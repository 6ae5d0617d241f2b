"""Every peer there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.bullmq import BullMQ, TunedBullMQ

if TYPE_CHECKING:
    from benchmarks.peers.peer import Peer

PEERS: tuple[type[Peer], ...] = (BullMQ, TunedBullMQ)
