"""
One peer alone, for trying it out.

    python -m tests.services --durable -- python -m benchmarks.peers NAME [--people N] [--count N] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers.contestants import PEERS

if TYPE_CHECKING:
    from benchmarks.contestant import Contestant

PRODUCERS, SAMPLES = 4, 50


def main() -> int:
    names = {peer.__name__: peer for peer in PEERS}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Run one peer alone.")
    parser.add_argument("name", choices=names)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "notification-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    peer = names[options.name](
        database_url=os.environ["DATABASE_URL"], redis_url=os.environ["REDIS_URL"], folder=options.folder
    )
    if why := peer.missing():
        print(f"{peer.name} is skipped: {why}")
        return 1
    print(peer.name, peer.versions())
    peer.prepare(options.people)
    show(peer, options.people, options.count)
    return 0


def show(peer: Contestant, people: int, count: int) -> None:
    print(f"single, drain:        {peer.single_drain(count).rate:>8,.0f}/s", flush=True)
    print(f"single, live:         {peer.single_live(count, PRODUCERS).rate:>8,.0f}/s", flush=True)
    print(f"batch, personalised:  {peer.batch(people, shared=False).rate:>8,.0f}/s", flush=True)
    print(f"batch, shared words:  {peer.batch(people, shared=True).rate:>8,.0f}/s", flush=True)
    seconds = sorted(peer.pickup(SAMPLES))
    print(f"pick-up: p50 {1000 * statistics.median(seconds):.1f} ms, most {1000 * seconds[-1]:.1f} ms", flush=True)


if __name__ == "__main__":
    sys.exit(main())
